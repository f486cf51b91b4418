/** Other people's TFTP clients: how each is told to read and to write a file. */
import { execFile } from "node:child_process";

/** How a command ended. */
export interface Ended {
  readonly status: number | string;
  readonly output: string;
}

/** Run a command; never rejects. */
export function run(command: readonly string[]): Promise<Ended> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      const status = error ? (error.code ?? error.signal ?? "failed") : 0;
      resolve({ status, output: stdout + stderr });
    });
  });
}

/** A client with the options that it is given. */
export interface OtherClient {
  readonly name: string;
  get(port: number, file: string, out: string): readonly string[];
  put(port: number, path: string, file: string): readonly string[];
}

const HOST = "127.0.0.1";

function curl(name: string, ...options: readonly string[]): OtherClient {
  const base = ["curl", "-sS", ...options];
  const url = (port: number, file: string): string => `tftp://${HOST}:${port}/${file}`;
  return {
    name: `curl${name}`,
    get: (port, file, out) => [...base, "-o", out, url(port, file)],
    put: (port, path, file) => [...base, "-T", path, url(port, file)],
  };
}

function atftp(name: string, ...options: readonly string[]): OtherClient {
  const base = ["atftp", ...options.flatMap((option) => ["--option", option])];
  return {
    name: `atftp${name}`,
    get: (port, file, out) => [...base, "-g", "-r", file, "-l", out, HOST, String(port)],
    put: (port, path, file) => [...base, "-p", "-l", path, "-r", file, HOST, String(port)],
  };
}

function busybox(name: string, ...options: readonly string[]): OtherClient {
  const base = ["busybox", "tftp", ...options];
  return {
    name: `busybox${name}`,
    get: (port, file, out) => [...base, "-g", "-r", file, "-l", out, HOST, String(port)],
    put: (port, path, file) => [...base, "-p", "-l", path, "-r", file, HOST, String(port)],
  };
}

/** It knows no options; without "-m binary" it converts texts. */
function hpa(name: string, mode: "binary" | "netascii"): OtherClient {
  const base = (port: number): string[] => ["tftp", "-m", mode, HOST, String(port), "-c"];
  return {
    name: `tftp-hpa${name}`,
    get: (port, file, out) => [...base(port), "get", file, out],
    put: (port, path, file) => [...base(port), "put", path, file],
  };
}

/** All of them, with and without options. */
export const OTHER_CLIENTS: readonly OtherClient[] = [
  curl(""),
  curl(" without options", "--tftp-no-options"),
  curl(" blksize 1468", "--tftp-blksize", "1468"),
  atftp(""),
  atftp(" blksize 1468 tsize timeout", "blksize 1468", "tsize 0", "timeout 2"),
  atftp(" windowsize 16", "blksize 1468", "windowsize 16"),
  atftp(" windowsize 64 blksize 512", "windowsize 64", "blksize 512"),
  busybox(""),
  busybox(" blksize 1468", "-b", "1468"),
  hpa("", "binary"),
];

/** It sends LF as CR LF; both sides must convert. */
export const TEXT_CLIENT: OtherClient = hpa(" netascii", "netascii");
