/**
 * Boots over a Unix socket, without root: BIOS by the network card's iPXE, UEFI by the distribution's
 * snponly.efi, each by HTTP and by TFTP. Each guest must have the very bytes that were served.
 *
 *   node packages/pxe/test/lab/run-link-matrix.ts
 */
import { rm } from "node:fs/promises";
import { makeGuest } from "./guest.ts";
import { bootOverLink, type LinkBootRequest } from "./link-boot.ts";

const guest = await makeGuest();
const cmdline = 'console=ttyS0 panic=-1 quiet a="x  y" b="\ttab" || && ; #z end\\';
let failed = 0;
for (const firmware of ["bios", "uefi"] as const) {
  for (const transport of ["http", "tftp"] as const) {
    const cell: LinkBootRequest = { guest, cmdline, firmware, transport };
    const { console: text, seconds, events, waits } = await bootOverLink(cell);
    const same =
      text.includes(`LAB payload ${guest.payload}  /payload/random`) && text.includes(` ${cmdline}]`);
    const by = events.flatMap((event) => (event.kind === "kernel" ? [event.via] : []));
    const warnings = events.filter(({ kind }) => kind === "warning").length;
    const good = same && by.join() === transport && warnings === 0;
    if (!good) {
      failed += 1;
      console.error(text, events);
    }
    const waited = waits.answers.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    console.log(
      `${good ? "ok  " : "FAIL"} ${firmware} ${transport}: /init after ${seconds?.toFixed(2)} s, ` +
        `${waited.toFixed(1)} ms of it for ${waits.answers.length} answers of ours`,
    );
  }
}
await rm(guest.directory, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;
