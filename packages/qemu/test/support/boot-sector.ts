/** The smallest thing that a PC boots from a disk or a CD: it says a line on the serial port and resets the machine. */

/** A disk of 1 MiB whose first sector is the program. */
export function bootDisk(text: string): Uint8Array {
  const disk = new Uint8Array(1 << 20);
  disk.set(sector(text));
  return disk;
}

/** An ISO 9660 image with nothing but a boot record: El Torito 1.0, no emulation. */
export function bootIso(text: string): Uint8Array {
  const iso = Buffer.alloc(64 * 2048);
  const [record, catalog, program] = [17, 19, 20].map((block) => block * 2048) as [number, number, number];
  iso.write("\u0001CD001\u0001", 16 * 2048, "latin1");
  iso.writeUInt32LE(64, 16 * 2048 + 80);
  iso.write("\0CD001\u0001EL TORITO SPECIFICATION", record, "latin1");
  iso.writeUInt32LE(19, record + 0x47);
  iso.write("\u00FFCD001\u0001", 18 * 2048, "latin1");
  // The validation entry, whose words add up to zero, and the default entry: bootable, one sector.
  iso.set([1, 0], catalog);
  iso.set([0xaa, 0x55, 0x55, 0xaa], catalog + 28);
  iso.set([0x88, 0, 0, 0, 0, 0, 1, 0], catalog + 32);
  iso.writeUInt32LE(20, catalog + 40);
  iso.set(sector(text), program);
  return iso;
}

/** A disk that ends the machine through isa-debug-exit. */
export function exitDisk(status: number): Uint8Array {
  const disk = new Uint8Array(1 << 20);
  // cli; mov al,status; out 0xf4,al; hlt
  disk.set([0xfa, 0xb0, status, 0xe6, 0xf4, 0xf4]);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

function sector(text: string): Uint8Array {
  const bytes = new Uint8Array(512);
  // cli, since SeaBIOS sends what it has still to say when its timer ticks; xor ax,ax; mov ds,ax; mov si,0x7c40
  bytes.set([0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x40, 0x7c]);
  // next: lodsb; test al,al; jz done; mov ah,al; mov dx,0x3fd; room: in al,dx; test al,0x20; jz room
  bytes.set([0xac, 0x84, 0xc0, 0x74, 0x12, 0x88, 0xc4, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb], 8);
  // mov al,ah; mov dx,0x3f8; out dx,al; jmp next
  bytes.set([0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xe9], 0x17);
  // done: mov dx,0x3fd; sent: in al,dx; test al,0x40; jz sent: a reset forgets what the port has not sent.
  bytes.set([0xba, 0xfd, 0x03, 0xec, 0xa8, 0x40, 0x74, 0xfb], 0x1f);
  // mov dx,0xcf9; mov al,6; out dx,al; hlt
  bytes.set([0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4], 0x27);
  bytes.set(new TextEncoder().encode(`${text}\r\n\0`), 0x40);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}
