import { writeFile } from "node:fs/promises";
import { endOf, type CliIo } from "./cli-result.ts";
import type { Values } from "./options.ts";
import type { Vm } from "./vm.ts";

/** Begins what is to be kept of a machine that has just started: film, last picture, timeline, console. Returns how to complete it. */
export async function startRecords(vm: Vm, values: Values, io: CliIo): Promise<() => Promise<void>> {
  const { screenshot, timeline } = values;
  const film =
    values.film === undefined
      ? undefined
      : await vm.screen.film(values.film, { fps: Number(values["film-fps"] ?? 10) });
  const picture = screenshot === undefined ? undefined : vm.screen.pngAtEnd(screenshot);
  // It is awaited below; a failure in between must not count as unhandled.
  picture?.catch(() => undefined);
  const isWanted = [film, picture, timeline, values["console-log"]].some((record) => record !== undefined);
  return async () => {
    if (!isWanted) return;
    const { warnings } = await endOf(vm);
    for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
    if (timeline !== undefined) await writeTimeline(vm.console.text(), timeline);
    await picture;
    if (film === undefined) return;
    await film.stop();
    io.stderr.write(`${film.kept} pictures in ${film.path}\n`);
  };
}

async function writeTimeline(log: string, file: string): Promise<void> {
  const { bootProfile } = await import("./kernel-log.ts");
  const { timelineSvg, timelineText } = await import("./timeline.ts");
  const profile = bootProfile(log.split("\n"));
  await writeFile(file, file.endsWith(".svg") ? timelineSvg(profile) : timelineText(profile));
}
