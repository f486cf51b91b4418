/** What /init tells the host; times are nanoseconds of the guest's monotonic clock, which starts with its kernel. */
export type ChannelFrame = { readonly seq: number } & (
  | {
      readonly type: "init";
      readonly release: string;
      readonly machine: string;
      readonly bundle: string;
      readonly monotonicNs: number;
    }
  /** Something that was tolerated, such as a file system that the kernel lacks. */
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "start"; readonly pid: number; readonly monotonicNs: number }
  | {
      readonly type: "net";
      readonly interface: string;
      /** With the prefix length: `10.0.2.15/24`. */
      readonly address: string;
      /** Empty if there is none. */
      readonly gateway: string;
      readonly method: string;
      readonly monotonicNs: number;
    }
  /** How the program ended: by itself with a status, or by a signal. 127 or 126 after a `fail` frame about it. */
  | {
      readonly type: "exit";
      readonly status?: number | undefined;
      readonly signal?: number | undefined;
      readonly monotonicNs: number;
    }
  /** Something that was asked for and could not be done. */
  | { readonly type: "fail"; readonly what: string; readonly errno: number; readonly message: string }
  /** A snapshot for the report. */
  | { readonly type: "file"; readonly name: string; readonly monotonicNs: number; readonly bytes: Uint8Array }
  | { readonly type: "report-end"; readonly windowMs: number; readonly monotonicNs: number }
  /** The last frame before the power goes off; without it a run was no success. */
  | { readonly type: "end"; readonly monotonicNs: number }
  /** A frame of a later version. */
  | { readonly type: "unknown"; readonly name: string; readonly payload: Uint8Array }
  /** A line that arrived broken. `seq` is the number that was expected. */
  | { readonly type: "damaged"; readonly reason: string }
);
