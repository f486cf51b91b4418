import type { Json } from "./json.ts";

/** What a container image says of running it (OCI image-spec, config.md). */
export interface ImageConfig {
  /** `os/architecture[/variant]` */
  readonly platform: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Entrypoint and Cmd, which is what a container engine runs. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd: string;
  /** `user`, `uid`, `user:group` or `uid:gid`; empty for root. */
  readonly user: string;
}

export function parseImageConfig(config: Json): ImageConfig {
  const run = config.at("config");
  const texts = (name: string): string[] =>
    run
      .at(name)
      .list()
      .map((word) => word.wantText());
  const entrypoint = texts("Entrypoint");
  const cmd = texts("Cmd");
  const env = texts("Env").map((line): [string, string] => {
    const equals = line.indexOf("=");
    return equals < 0 ? [line, ""] : [line.slice(0, equals), line.slice(equals + 1)];
  });
  const platform = ["os", "architecture", "variant"].map((key) => config.at(key).text());
  return {
    platform: platform.filter((word) => word !== undefined && word !== "").join("/"),
    entrypoint,
    cmd,
    args: [...entrypoint, ...cmd],
    env: Object.fromEntries(env.filter(([name]) => name !== "")),
    cwd: run.at("WorkingDir").text() || "/",
    user: run.at("User").text() ?? "",
  };
}
