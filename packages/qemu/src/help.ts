export const HELP = `Boot a kernel in QEMU: console on standard output, a clear exit status, nothing left behind.

Usage:
  qemu-boot KERNEL [INITRD]... [--append TEXT] [flags]
  qemu-boot KERNEL [INITRD]... -- PROGRAM [ARGUMENT]...     run a program in the guest
  qemu-boot --disk FILE | --cdrom FILE [flags]
  qemu-boot --tap INTERFACE [flags]          boot from the network
  qemu-boot --probe                          tell whether KVM really works here

Machine:
  --kernel FILE            the same as KERNEL: bzImage, or vmlinux with a PVH entry; Image for arm64 and riscv64
  --initrd FILE            the same as INITRD: initramfs; repeat to join several
  --append TEXT            kernel command line, e.g. "console=ttyS0"
  --arch ARCH              x86_64 (default), arm64 or riscv64; another than this host's is emulated
  --memory SIZE            e.g. 512M, 2G (default 512M)
  --cpus N                 default 1
  --port-forward H:G       port H of this host leads to port G of the guest; also udp:H:G; 0:G picks a free one
  --tap INTERFACE          network card on an existing tap interface
  --pcap FILE              keep what the network card sends and receives, for tcpdump or Wireshark
  --net user|none          a network card without forwards, or none (default)
  --disk FILE[,…]          disk; also ,raw|qcow2 ,read-only|snapshot ,virtio|nvme|sata|scsi|usb
  --cdrom FILE             ISO image
  --share DIR[,…]          directory for the guest, tag is its name; also ,tag=NAME ,rw ,9p|virtiofs
  --uefi                   start by the distribution's UEFI (package ovmf, qemu-efi-aarch64)
  --gdb PORT|SOCKET        wait for gdb there
  --accel auto|kvm|tcg     default auto: KVM only when a probe guest has run under it
  --cpu MODEL              QEMU's -cpu
  --lean                   no keyboard, SATA, USB: boots a distribution's kernel a little faster
  --microvm                QEMU's smallest PC, with KVM alone: the fastest start
  --pvpanic                device through which the guest reports a panic
  --debug-exit             isa-debug-exit at port 0xf4: the N that the guest writes there is the exit status
  --qemu FILE              QEMU binary (default: the architecture's)

Run:
  -i, --interactive        the terminal is the guest's console; Ctrl-] ends
  --timeout S              end after S seconds
  --idle-timeout S         end after S seconds without output
  --output-timeout S       end when nothing has been printed after S seconds
  --init-timeout S         end when /init has not been started after S seconds
  --ready REGEX            the guest is ready when a line of its console matches
  --ready-timeout S        end when it is not ready after S seconds
  --console-log FILE       keep the console's bytes
  --film FILE.png|DIR      the boot as an animated PNG, or a PNG for each picture; the kernel needs console=tty0 before console=ttyS0 (arm64: ttyAMA0)
  --film-fps N             pictures a second (default 10)
  --screenshot FILE        PNG of the last picture
  --timeline FILE          what took how long: drawn (.svg) or told; --append "… initcall_debug ignore_loglevel" tells more
  --snapshot               with a program: boot once, then start copies of the booted guest
  --dry-run                print the command, start nothing
  --json                   result as JSON on standard output, console on standard error
  --debug                  stack of an error
  -h, --help
  -V, --version

A program's output is that of the command, and so is its exit status; INITRD has the program, and an agent is its init.
Exit status without a program: the guest's by --debug-exit, 0 the guest powered off or rebooted, 1 panic or failure, 2 usage, 124 time-out, 130 Ctrl-C.
`;
