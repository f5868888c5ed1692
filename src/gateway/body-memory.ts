/** Memory for what is read as a whole, shared by all boxes. */
export class BodyMemory {
  private bytes = 0
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** False where there is no room for so many more. */
  take(bytes: number): boolean {
    if (this.bytes + bytes > this.most) return false
    this.bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.bytes -= bytes
  }
}
