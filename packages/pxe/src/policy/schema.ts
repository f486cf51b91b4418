import { z } from "zod";
import { ARCH_NAMES, FIRMWARE_NAMES, readMac } from "./facts.ts";

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z
    .union([item, z.array(item).min(1, "a list that is not empty")])
    .transform((value) => (Array.isArray(value) ? value : [value]));

const pattern = z.string().min(1, "a pattern, such as 52:54:00:*");
const macPattern = pattern
  .regex(/^[0-9A-Fa-f:?*-]+$/, "a MAC address, such as 52:54:00:12:34:56, or a pattern, such as 52:54:00:*")
  .transform((text) => text.replaceAll("-", ":"));
const mac = z
  .string()
  .refine((text) => readMac(text) !== undefined, "a MAC address, such as 52:54:00:12:34:56")
  .transform((text) => readMac(text) ?? text);

/** Kernel arguments: what no boot program can write into its script is better refused here. */
const cmdline = z
  .string()
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  .regex(/^[^\0-\b\n-\u001f]*$/, "one line of kernel arguments")
  .refine((text) => !/\$\{[^}]*\}/.test(text), "kernel arguments without ${…}, which iPXE would expand");

const paramName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, "a file name of letters, digits and . _ -");
const params = z.record(paramName, z.union([z.string(), z.strictObject({ file: z.string().min(1) })]));

const filesSchema = z.strictObject({
  kernel: z.string().min(1),
  initrd: oneOrMore(z.string().min(1)).optional(),
  cmdline: cmdline.optional(),
  title: z.string().optional(),
});

/** What is booted: a bundle directory, files, the local disk, or nothing. */
const bootSchema = z.union([z.string().min(1, 'a bundle\'s directory, "disk" or "none"'), filesSchema]);

const machineSchema = z.strictObject({
  mac,
  name: z.string().min(1).optional(),
  tags: oneOrMore(z.string().min(1)).optional(),
  cmdline: cmdline.optional(),
  params: params.optional(),
});

const ruleSchema = z.strictObject({
  name: z.string().min(1).optional(),
  mac: oneOrMore(macPattern).optional(),
  uuid: oneOrMore(pattern).optional(),
  serial: oneOrMore(pattern).optional(),
  tag: oneOrMore(pattern).optional(),
  arch: oneOrMore(z.enum(ARCH_NAMES)).optional(),
  firmware: oneOrMore(z.enum(FIRMWARE_NAMES)).optional(),
  boot: bootSchema,
  cmdline: cmdline.optional(),
  params: params.optional(),
});

/** The text of a policy file. */
export const policySchema = z.strictObject({
  machines: z.array(machineSchema).optional(),
  rules: z.array(ruleSchema).min(1, "a list of rules"),
});

/** A run's name: it becomes a directory. */
export const RUN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What is sent to queue plans: each is booted once. */
export const queueSchema = z
  .array(
    z.strictObject({
      boot: bootSchema.refine((boot) => boot !== "none", 'a bundle\'s directory, files, or "disk"'),
      cmdline: cmdline.optional(),
      params: params.optional(),
      /** Where its results go; made up when left out. */
      run: z.string().regex(RUN_NAME, "a name of letters, digits and . _ -").optional(),
      /** Seconds from the script to the call of the booted machine. */
      timeout: z.coerce
        .number()
        .positive("more than 0 seconds")
        .max(7 * 86_400, "at most a week of seconds")
        .optional(),
      fallback: z.enum(["next", "disk"]).optional(),
    }),
  )
  .max(1000);

export type PolicyInput = z.output<typeof policySchema>;
export type QueueInput = z.output<typeof queueSchema>;
export type BootInput = z.output<typeof bootSchema>;
export type ParamsInput = z.output<typeof params>;
