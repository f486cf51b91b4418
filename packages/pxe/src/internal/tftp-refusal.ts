/** A request that is answered with an ERROR packet. */
export class TftpRefusal extends Error {
  readonly tftp: number;

  constructor(tftp: number, message: string) {
    super(message);
    this.tftp = tftp;
  }
}
