import { z } from "zod";

// Every `.meta({ description })` ends up in the published JSON Schema, where editors show it.

/** A string of a certain form; `error` completes the sentence "must be …" for any other value. */
const text = (form: RegExp, error: string): z.ZodString => z.string({ error }).regex(form, { error });

const absolutePath = text(
  /^\/(?!.*(?:^|\/)\.\.(?:\/|$)).*[^/]$/,
  'a path inside the appliance: absolute, without "..", like "/etc/motd"',
);
const octalMode = text(/^0?[0-7]{3,4}$/, 'a mode as quoted octal digits, like "0644"').meta({
  description: 'File mode as quoted octal digits: "0755"',
});
const size = text(/^[1-9]\d*[MG]$/, 'a size like "256M" or "1G"');
const duration = text(/^\d+(\.\d+)?(ms|s|m)$/, 'a duration like "500ms" or "2s"');
const port = z.int().min(1).max(65_535);

export const kernelSourceNames = ["auto", "debian", "kernel.org", "distro"] as const;

const kernelSource = z.union([
  z.enum(kernelSourceNames),
  z.strictObject({
    directory: z.string().min(1).meta({ description: "An unpacked kernel source tree" }),
  }),
  z.strictObject({
    tarball: z.string().min(1).meta({ description: "A kernel source tarball" }),
    sha256: text(/^[0-9a-f]{64}$/, "64 hexadecimal digits").optional(),
  }),
]);

const kernel = z
  .strictObject({
    source: kernelSource.optional().meta({
      description:
        "Where the kernel comes from: auto (Debian's linux-source where apt offers it, else kernel.org), debian, kernel.org, distro (the distribution's prebuilt cloud kernel), { directory } or { tarball }. Default: auto",
    }),
    version: text(/^\d+\.\d+(\.\d+)?$/, 'a quoted version like "6.12" or "6.12.8"')
      .optional()
      .meta({ description: 'Series for debian ("6.12"), version for kernel.org. Default: "6.12"' }),
    compiler: z.enum(["gcc", "clang"]).optional().meta({
      description: "What compiles the kernel; clang brings LLVM's linker and tools. Default: gcc",
    }),
    features: z
      .array(z.string().min(1))
      .optional()
      .meta({ description: "Kernel features by name, added to those that the rest of the spec implies" }),
    presets: z.array(z.string().min(1)).optional().meta({
      description:
        "Switches that are known to change what the kernel costs, each with its position: kpti=off, thp=always. kbuild presets lists them",
    }),
    config: z
      .record(
        text(/^(?!CONFIG_)[A-Za-z0-9_]+$/, "a Kconfig symbol without its CONFIG_ prefix"),
        z.union([z.string(), z.number()]),
      )
      .optional()
      .meta({
        description: "Kconfig symbols (without CONFIG_) and their values: y, m, n, a number or a string",
      }),
    defconfig: z.string().min(1).optional().meta({
      description:
        "A file with the kernel's configuration, as 'appliance minimize' writes it: instead of the features that the rest of the spec implies. What features and config name holds all the same",
    }),
    devices: z.string().min(1).optional().meta({
      description:
        "A file with the devices of the machine that it is for and the modules that drive them, one a line, as the command that 'appliance probe' prints collects them there: their drivers are built in, with the firmware that this machine has for them",
    }),
    modules: z
      .array(text(/^[A-Za-z0-9_-]+$/, "a module's name, like ext4"))
      .optional()
      .meta({
        description: "Kernel modules to put in and to load before the program, with what they depend on",
      }),
    cmdline: z.string().optional().meta({ description: "Appended to the kernel command line" }),
  })
  .meta({ description: "The kernel; everything has a default" });

const program = z.union([
  z.string().min(1),
  z.strictObject({
    source: z.string().min(1).meta({ description: "A name looked up in PATH, or a path" }),
    target: absolutePath
      .optional()
      .meta({ description: "Where it goes in the appliance. Default: where it is here" }),
  }),
  z.strictObject({
    compile: z.string().min(1).meta({ description: "A C file, compiled on the spot with cc" }),
    target: absolutePath.optional().meta({ description: "Default: /bin/NAME" }),
    flags: z.array(z.string()).optional().meta({ description: "Flags for cc, like -static. Default: -O2" }),
  }),
]);

const file = z.union([
  z.string(),
  z.strictObject({
    source: z.string().min(1).optional().meta({ description: "A file of this machine" }),
    content: z.string().optional().meta({ description: "The file's text" }),
    mode: octalMode.optional(),
  }),
]);

const argv = z.array(z.string()).min(1);

const run = z.union([
  z.string().min(1),
  argv,
  z.strictObject({
    argv: z.union([z.string().min(1), argv]).meta({ description: "Program and arguments" }),
    env: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .meta({ description: "Environment" }),
    cwd: absolutePath.or(z.literal("/")).optional().meta({ description: "Working directory. Default: /" }),
  }),
]);

const cidr = text(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'an address with its prefix, like "10.0.2.15/24"');
const ipv4 = text(/^\d{1,3}(\.\d{1,3}){3}$/, 'an IPv4 address, like "10.0.2.2"');

export const networkNames = ["none", "dhcp"] as const;

/** The schema of a spec as a person writes it: everything but `name` and `run` may be left out. */
export const specSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: "The JSON Schema, for editors" }),
    name: text(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      "a host name: lower-case letters, digits and dashes, at most 63",
    ).meta({ description: "The appliance's name and host name" }),
    run: run.meta({
      description:
        "The one program that the appliance is for: a string (split at blanks), a list, or { argv, env, cwd }",
    }),
    arch: z.enum(["x86_64", "arm64", "riscv64"]).optional().meta({ description: "Default: this machine's" }),
    kernel: kernel.optional(),
    programs: z.array(program).optional().meta({
      description:
        "Programs of this machine that go in with their shared libraries: names, paths, { source, target } or { compile }",
    }),
    files: z
      .record(absolutePath, file)
      .optional()
      .meta({ description: "Target path: text, or { source | content, mode }" }),
    facets: z
      .array(text(/^[a-z-]+(=[^\s,/][^\s]*)?$/, 'a facet, like "nss" or "tz=Europe/Berlin"'))
      .optional()
      .meta({
        description:
          "What programs find by configuration at run time: nss, locale, terminfo, tz, ca-certificates, gconv, pam, python, node",
      }),
    directories: z.array(absolutePath).optional().meta({ description: "Empty directories to make" }),
    links: z
      .record(absolutePath, z.string().min(1))
      .optional()
      .meta({ description: "Symbolic links: link path: what it points to" }),
    nodes: z
      .record(
        absolutePath,
        z.strictObject({
          type: z.enum(["character", "block"]),
          major: z.int().min(0).max(4095),
          minor: z.int().min(0).max(1_048_575),
          mode: octalMode.optional(),
        }),
      )
      .optional()
      .meta({ description: "Device nodes in the archive; /dev itself is filled by the kernel" }),
    init: z.string().min(1).optional().meta({
      description: "Your own /init instead of the generated one: a script or program of this machine",
    }),
    network: z
      .union([
        z.enum(networkNames),
        z.strictObject({ address: cidr, gateway: ipv4.optional(), dns: ipv4.optional() }),
      ])
      .optional()
      .meta({
        description: "none, dhcp or { address, gateway, dns }. Default: none; dhcp when ports are forwarded",
      }),
    forward: z
      .array(z.union([port, text(/^\d{1,5}:\d{1,5}$/, 'a port, or "HOST:GUEST"')]))
      .optional()
      .meta({
        description:
          'Ports of this machine that lead into the appliance: 6379 (the same port if it is free, else another) or "7000:6379"',
      }),
    memory: size.optional().meta({ description: "Default: 256M" }),
    cpus: z.int().min(1).max(64).optional().meta({ description: "Default: 1" }),
    compression: z
      .enum(["none", "gzip", "zstd"])
      .optional()
      .meta({ description: "Of the initramfs. Default: gzip" }),
    test: z.string().min(1).optional().meta({
      description:
        "A shell command of this machine that tells whether the running appliance does its job, like redis-cli -p $PORT_6379 ping; repeated until it succeeds. For 'appliance minimize'; without one the program's exit status decides",
    }),
    report: z
      .union([duration, z.literal(false)])
      .optional()
      .meta({
        description:
          "How long the idle system is measured after the program has ended; false: not at all. Default: 1s",
      }),
  })
  .meta({ title: "Appliance spec", description: "One program and the least Linux that runs it" });

/** A spec as a person writes it, in YAML or in TypeScript. */
export type ApplianceSpec = z.input<typeof specSchema>;
