import { expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

test("the program's output is ours byte for byte, and so is its exit status", async () => {
  const run = await appliance(["run", "examples/shell", "--", "sh", "-c", "uname -r; ls /; exit 7"]);
  expect(run.exitCode, run.stderr).toBe(7);
  // The program's output is a terminal, so ls writes columns.
  expect(run.stdout).toMatch(/^6\.12\.\d+\S*\nbin +dev +etc +init +lib.* sys +tmp +usr\n$/);
  expect(run.left).toEqual([]);
});

test("each tool of the tutorial does its work inside", async () => {
  const tools = [
    "echo greeting | grep greet && env | grep -q HOME && test $(nproc) -ge 1",
    "mkdir /d && touch /d/f && ln -s f /d/l && cat /d/l && mknod /d/n c 1 3 && dd if=/dev/zero of=/d/z bs=1k count=4",
    "mount -t tmpfs none /mnt && df /mnt && du /d && umount /mnt",
    "seq 9 | head -n 8 | tail -n 3 | wc -l",
    "ps -e | grep -q init && ip address show lo | grep -q 127.0.0.1 && lspci | grep -q 'Virtio network device' && lsmod | grep -q dummy && ip link show dummy0 && lsblk",
    "cd /d && test $(pwd) = /d && echo all of them",
  ];
  const run = await appliance(["run", "examples/shell", "--", "sh", "-ec", tools.join("\n")]);
  expect(run.stdout).toMatch(/all of them\n$/);
  expect(run.exitCode, run.stdout + run.stderr).toBe(0);
});

test("poweroff and reboot inside end the run, and it is said that the program did not", async () => {
  const run = await appliance(["run", "examples/shell", "--", "sh", "-c", "echo before; poweroff; sleep 60"]);
  // The kernel says its last word on the console too, as an emergency that no log level holds back.
  expect(run.stdout).toMatch(/^before\n(reboot: Power down\r\n)?$/);
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toMatch(/^error: /m);
  expect(run.left).toEqual([]);
});

test("a program that does not end is stopped at the time-out", async () => {
  const run = await appliance([
    "run",
    "examples/shell",
    "--timeout",
    "12s",
    "--",
    "sh",
    "-c",
    "echo working; sleep 600",
  ]);
  expect(run.exitCode).toBe(124);
  expect(run.stdout).toBe("working\n");
  expect(run.stderr).toMatch(/^error: .*12 s/m);
  expect(run.left).toEqual([]);
});

test("a program killed by a signal gives 128 + its number", async () => {
  const run = await appliance(["run", "examples/shell", "--", "sh", "-c", "kill -TERM $$"]);
  expect(run.exitCode, run.stderr).toBe(143);
});
