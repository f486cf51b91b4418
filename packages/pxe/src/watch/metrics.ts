import type { PxeEvent } from "../events.ts";

/** Numbers that are known only when they are asked for. */
export interface Gauges {
  readonly machines: number;
  readonly leases: number;
  readonly queuedPlans: number;
  readonly connections: number;
}

/** Counts what happens, for Prometheus. */
export interface Metrics {
  note(event: PxeEvent): void;
  /** The text format 0.0.4. */
  text(gauges: Gauges): string;
}

interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
  count: number;
}

const histogram = (...bounds: number[]): Histogram => ({
  bounds,
  counts: bounds.map(() => 0),
  sum: 0,
  count: 0,
});

function observe(into: Histogram, value: number): void {
  into.sum += value;
  into.count++;
  for (const [index, bound] of into.bounds.entries()) {
    if (value <= bound) into.counts[index] = (into.counts[index] ?? 0) + 1;
  }
}

const HELP: Readonly<Record<string, string>> = {
  pxe_dhcp_total: "DHCP messages by what they were",
  pxe_http_requests_total: "HTTP answers by status",
  pxe_http_bytes_total: "Bytes sent by HTTP",
  pxe_tftp_transfers_total: "TFTP transfers by how they ended",
  pxe_tftp_bytes_total: "Bytes sent by TFTP",
  pxe_tftp_retransmissions_total: "TFTP windows sent again",
  pxe_files_total: "Boot files fetched whole, by what they are and by protocol",
  pxe_boots_total: "Boots by how they ended",
  pxe_uploads_total: "Files that machines have sent",
  pxe_upload_bytes_total: "Bytes that machines have sent",
  pxe_warnings_total: "Warnings by code",
};

/** Make counters that are all zero. Labels are words of this server, never of its clients. */
export function pxeMetrics(): Metrics {
  const counters = new Map<string, Map<string, number>>(Object.keys(HELP).map((name) => [name, new Map()]));
  const add = (name: string, labels: string, by = 1): void => {
    const series = counters.get(name);
    series?.set(labels, (series.get(labels) ?? 0) + by);
  };
  const fetched = {
    loader: histogram(0.05, 0.2, 1, 5, 30),
    script: histogram(0.005, 0.02, 0.1, 0.5, 2),
    kernel: histogram(0.1, 0.5, 1, 2, 5, 10, 30, 120),
    initrd: histogram(0.1, 0.5, 1, 2, 5, 10, 30, 120),
  };
  const boots = histogram(1, 2, 5, 10, 20, 30, 60, 120, 300);
  const waits = histogram(0.001, 0.005, 0.02, 0.05, 0.2, 1, 5);

  return {
    note(event) {
      switch (event.kind) {
        case "discover":
        case "offer":
        case "ack":
        case "request":
        case "nak":
        case "decline":
        case "release":
          return add("pxe_dhcp_total", `kind="${event.kind}"`);
        case "http":
          add("pxe_http_requests_total", `status="${event.status}"`);
          return add("pxe_http_bytes_total", "", event.bytes);
        case "tftp":
          add("pxe_tftp_transfers_total", `outcome="${event.outcome}"`);
          add("pxe_tftp_bytes_total", "", event.bytes);
          return add("pxe_tftp_retransmissions_total", "", event.retransmissions);
        case "loader":
        case "script":
        case "kernel":
        case "initrd":
          observe(fetched[event.kind], event.milliseconds / 1000);
          if (event.serverMs !== undefined) observe(waits, event.serverMs / 1000);
          return add("pxe_files_total", `file="${event.kind}",via="${event.via}"`);
        case "upload":
          add("pxe_uploads_total", "");
          return add("pxe_upload_bytes_total", "", event.bytes);
        case "boot": {
          const { boot } = event;
          add("pxe_boots_total", `outcome="${boot.outcome}"`);
          const until = boot.steps.findLast(({ step }) => step === "booted" || step === "initrd");
          return until && observe(boots, (until.ended - boot.began) / 1000);
        }
        case "warning":
          return add("pxe_warnings_total", `code="${event.code}"`);
        default:
          return undefined;
      }
    },
    text(gauges) {
      const lines: string[] = [];
      for (const [name, series] of counters) {
        lines.push(`# HELP ${name} ${HELP[name] ?? ""}`, `# TYPE ${name} counter`);
        for (const [labels, value] of series)
          lines.push(`${name}${labels === "" ? "" : `{${labels}}`} ${value}`);
      }
      const put = (name: string, labels: string, { bounds, counts, sum, count }: Histogram): void => {
        const also = labels === "" ? "" : `${labels},`;
        for (const [index, bound] of bounds.entries()) {
          lines.push(`${name}_bucket{${also}le="${bound}"} ${counts[index] ?? 0}`);
        }
        const own = labels === "" ? "" : `{${labels}}`;
        lines.push(
          `${name}_bucket{${also}le="+Inf"} ${count}`,
          `${name}_sum${own} ${sum}`,
          `${name}_count${own} ${count}`,
        );
      };
      const begin = (name: string, type: string, help: string): void => {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      };
      begin("pxe_fetch_seconds", "histogram", "Time of whole files, by what they are");
      for (const [file, values] of Object.entries(fetched))
        put("pxe_fetch_seconds", `file="${file}"`, values);
      begin(
        "pxe_server_wait_seconds",
        "histogram",
        "Within a file, how long the client waited for this server",
      );
      put("pxe_server_wait_seconds", "", waits);
      begin(
        "pxe_boot_seconds",
        "histogram",
        "From the first request to the call of the system or the last file",
      );
      put("pxe_boot_seconds", "", boots);
      for (const [name, help, value] of [
        ["pxe_machines", "Machines seen", gauges.machines],
        ["pxe_leases", "Leases known", gauges.leases],
        ["pxe_queued_plans", "Plans that wait to be booted", gauges.queuedPlans],
        ["pxe_http_connections", "Open HTTP connections", gauges.connections],
      ] as const) {
        begin(name, "gauge", help);
        lines.push(`${name} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}
