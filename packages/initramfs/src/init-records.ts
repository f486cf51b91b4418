import { InitramfsError } from "./error.ts";
import { encodeName } from "./internal/names.ts";

/**
 * What the generated /init is to do. Baked into an image as `/etc/appliance/init`, or given for one run as
 * `/etc/appliance/job`, see `jobSegment`, whose values win.
 */
export interface InitRecords {
  /** The program and its arguments; the program is looked up in PATH. A job's list replaces the image's. */
  readonly args?: readonly string[] | undefined;
  /** Added to PATH, HOME and TERM. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Working directory of the program, default `/`. */
  readonly cwd?: string | undefined;
  readonly hostname?: string | undefined;
  /** Default `none`. `dhcp` takes the first network card with a carrier. */
  readonly network?: "none" | "dhcp" | "static" | undefined;
  /** For `static`: address and prefix length, such as `10.0.2.15/24`. */
  readonly address?: string | undefined;
  readonly gateway?: string | undefined;
  /** At most three name servers for /etc/resolv.conf; they win over those that DHCP offers. */
  readonly dns?: readonly string[] | undefined;
  /** Values for files of the running kernel, below /proc and /sys, written before the program starts. */
  readonly settings?: readonly { readonly path: string; readonly value: string }[] | undefined;
  /** What follows the program's end, default `poweroff`. */
  readonly after?: "poweroff" | "reboot" | "halt" | undefined;
  /** Measure the idle system for so many milliseconds when the program has ended, and report. Default 0: no. */
  readonly report?: number | undefined;
  /** Device of the control channel, such as `/dev/ttyS1`. Default: none. */
  readonly channel?: string | undefined;
  /** Hexadecimal word in the markers that set the program's output apart on the console. Default: no markers. */
  readonly token?: string | undefined;
  /** What the program reads. Default `null`. */
  readonly stdin?: "null" | "console" | undefined;
  /** `raw`: the program's bytes reach the console unchanged; `cooked`: as on a terminal. Default `cooked`. */
  readonly tty?: "raw" | "cooked" | undefined;
  /** Copy the program's output to this device too, such as `/dev/tty0`. */
  readonly tee?: string | undefined;
  /** Sent to the host with the first frame. */
  readonly bundle?: string | undefined;
}

const SCALARS = [
  "hostname",
  "network",
  "address",
  "gateway",
  "cwd",
  "after",
  "report",
  "channel",
  "token",
  "stdin",
  "tty",
  "tee",
  "bundle",
] as const satisfies readonly (keyof InitRecords)[];

// The fixed tables of assets/init/config.h.
const LIMITS = { arg: 1024, env: 500, module: 512, capability: 256, setting: 64, dns: 3 };

/** What the image's builder tells /init, beside the user. */
interface BuiltRecords {
  /** Paths, in the order of loading. */
  readonly modules?: readonly string[];
  /** File capabilities: the value of `security.capability` in hexadecimal, a colon, the path. */
  readonly capabilities?: readonly string[];
}

/** The file of NUL-terminated `key=value` records that /init reads. */
export function encodeRecords(records: InitRecords, built: BuiltRecords = {}): Uint8Array {
  const list: [key: string, value: string][] = [];
  for (const key of SCALARS) {
    const value = records[key];
    if (value !== undefined) list.push([key, String(value)]);
  }
  const repeated: [keyof typeof LIMITS, readonly string[]][] = [
    ["dns", records.dns ?? []],
    ["module", built.modules ?? []],
    ["capability", built.capabilities ?? []],
    ["setting", (records.settings ?? []).map(settingRecord)],
    ["arg", records.args ?? []],
    ["env", Object.entries(records.env ?? {}).map(([name, value]) => envRecord(name, value))],
  ];
  for (const [key, values] of repeated) {
    if (values.length > LIMITS[key]) {
      throw invalid(
        `There are ${values.length} "${key}" values for /init, at most ${LIMITS[key]} are possible`,
      );
    }
    list.push(...values.map((value): [string, string] => [key, value]));
  }
  for (const [key, value] of list) {
    if (value.includes("\0")) throw invalid(`The value of "${key}" for /init holds a NUL character`);
  }
  if (records.token !== undefined && !/^[0-9a-f]{1,64}$/.test(records.token)) {
    throw invalid(`The token "${records.token}" is not 1 to 64 hexadecimal digits in lower case`);
  }
  if (records.report !== undefined && !(Number.isInteger(records.report) && records.report >= 0)) {
    throw invalid(`The report time ${records.report} is not a whole number of milliseconds`);
  }
  return Buffer.from(encodeName(list.map(([key, value]) => `${key}=${value}\0`).join("")));
}

function envRecord(name: string, value: string): string {
  if (name === "" || name.includes("=")) throw invalid(`"${name}" is no name for an environment variable`);
  return `${name}=${value}`;
}

function settingRecord({ path, value }: { readonly path: string; readonly value: string }): string {
  // The path ends at the first blank; assets/init/settings.c has room for 256 bytes.
  if (!/^\/(?:proc|sys)\/\S+$/.test(path) || Buffer.byteLength(path) > 255) {
    throw invalid(`"${path}" is no file below /proc or /sys, without blanks, for a setting`);
  }
  return `${path} ${value}`;
}

function invalid(message: string): InitramfsError {
  return new InitramfsError("INITRAMFS_INVALID_OPTION", message);
}
