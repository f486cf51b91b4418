/** A request that is answered with an ERROR packet; `tftp` is its code, `message` its text. */
export class TftpRefusal extends Error {
  readonly tftp: number;

  constructor(tftp: number, message: string) {
    super(message);
    this.tftp = tftp;
  }
}
