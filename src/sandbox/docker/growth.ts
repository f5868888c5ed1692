/** Of a disk: what is in use. Of a box: what it has added. */
export interface Growth {
  readonly bytes: number
  readonly files: number
}

/**
 * Tells from the use of a whole disk when a box may have added more than it may, so that its files are only looked at
 * then. Use that falls is taken for somebody else's: what a box adds is not hidden by what another removes.
 */
export class GrowthGauge {
  readonly #most: Growth
  #last: Growth | null = null
  #added: Growth = { bytes: 0, files: 0 }
  #until: Growth

  constructor(most: Growth) {
    this.#most = most
    this.#until = most
  }

  /** Call with each look at the disk. */
  isWorthAWalk(used: Growth): boolean {
    const last = this.#last ?? used
    this.#last = used
    this.#added = {
      bytes: this.#added.bytes + Math.max(0, used.bytes - last.bytes),
      files: this.#added.files + Math.max(0, used.files - last.files),
    }
    return this.#added.bytes >= this.#until.bytes || this.#added.files >= this.#until.files
  }

  /** Call with what a walk found: until that much more is on the disk, another would find no more than is allowed. */
  walked(found: Growth): void {
    this.#added = { bytes: 0, files: 0 }
    // Not each second, where somebody else fills the disk.
    const left = (most: number, had: number): number => Math.max(most - had, most / 16)
    this.#until = {
      bytes: left(this.#most.bytes, found.bytes),
      files: left(this.#most.files, found.files),
    }
  }
}
