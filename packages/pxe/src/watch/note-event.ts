import type { PxeEvent } from "../events.ts";
import type { BootRecord, BootStepRecord } from "./boot-record.ts";

/** A boot that never ends, such as one that goes in circles, fills no memory. */
const MOST_STEPS = 64;

/** A record with one more step; the same step again only counts. */
function withStep(boot: BootRecord, step: BootStepRecord): BootRecord {
  const last = boot.steps.at(-1);
  const same =
    last !== undefined && last.step === step.step && last.detail === step.detail && last.ipxe === step.ipxe;
  const steps = same
    ? [
        ...boot.steps.slice(0, -1),
        {
          ...last,
          ended: step.ended,
          times: (last.times ?? 1) + 1,
          ...(step.bytes === undefined
            ? {}
            : amount((last.bytes ?? 0) + step.bytes, step.ended - last.began)),
          ...(step.serverMs === undefined ? {} : { serverMs: (last.serverMs ?? 0) + step.serverMs }),
        },
      ]
    : [...boot.steps, step];
  return steps.length > MOST_STEPS ? boot : { ...boot, steps, began: Math.min(boot.began, step.began) };
}

function amount(bytes: number, milliseconds: number): { bytes: number; bytesPerSecond?: number } {
  return {
    bytes,
    ...(milliseconds > 0 ? { bytesPerSecond: Math.round((bytes / milliseconds) * 1000) } : {}),
  };
}

/** Whether an event begins another boot than the one that runs. */
export function beginsBoot(boot: BootRecord | undefined, event: PxeEvent): boolean {
  if (event.kind !== "discover" || event.platform === undefined) {
    // Where DHCP is somebody else's, the first that is heard of a boot is its script.
    if (event.kind !== "script" && event.kind !== "plan" && event.kind !== "loader") return false;
    return boot?.outcome !== "running" || boot.steps.some(({ step }) => step === "kernel");
  }
  if (!boot || boot.outcome !== "running") return true;
  // Firmware never comes again within a boot; its iPXE does, but not after the script.
  return boot.steps.some(
    ({ step }) => step === "script" || (!event.ipxe && (step === "loader" || step === "kernel")),
  );
}

/** A record with what an event tells; the same record when it tells nothing of a boot. */
export function noteEvent(boot: BootRecord, event: PxeEvent): BootRecord {
  const now = { began: event.at, ended: event.at };
  switch (event.kind) {
    case "discover": {
      if (event.platform === undefined) {
        const running = boot.steps.some(({ step }) => step === "kernel");
        return running ? withStep(boot, { step: "system", ...now }) : boot;
      }
      const detail = event.ipxe ? "iPXE" : "firmware";
      const next = withStep(boot, { step: "discover", ...now, detail, ipxe: event.ipxe });
      return boot.platform === undefined ? { ...next, platform: event.platform } : next;
    }
    case "offer":
      return withStep(boot, { step: "offer", ...now, ...(event.boot ? { detail: event.boot } : {}) });
    case "ack":
    case "request": {
      const running = boot.steps.some(({ step }) => step === "kernel");
      return running ? boot : withStep(boot, { step: "lease", ...now, detail: event.address });
    }
    case "loader":
    case "script":
    case "kernel":
    case "initrd":
      return withStep(boot, {
        step: event.kind,
        began: event.at - Math.round(event.milliseconds),
        ended: event.at,
        via: event.via,
        ...amount(event.bytes, event.milliseconds),
        ...(event.serverMs === undefined ? {} : { serverMs: event.serverMs }),
      });
    case "plan": {
      const next = withStep(boot, { step: "plan", ...now, detail: event.plan });
      const run = event.run === undefined ? {} : { run: event.run };
      return { ...next, plan: event.plan, ...run };
    }
    case "booted":
      return { ...withStep(boot, { step: "booted", ...now }), outcome: "booted" };
    case "upload":
      return withStep(boot, { step: "upload", ...now, bytes: event.bytes });
    case "result":
      return {
        ...withStep(boot, { step: "result", ...now, detail: event.body.slice(0, 200) }),
        outcome: "done",
      };
    case "tftp": {
      if (event.outcome !== "failed") return boot;
      return withStep(boot, {
        step: "failed",
        ...now,
        detail: `TFTP of ${event.file}: ${event.detail ?? ""}`,
      });
    }
    default:
      return boot;
  }
}
