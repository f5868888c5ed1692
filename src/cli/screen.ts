import type { Terminal } from './terminal.ts'

/** Lines that stay, and where the terminal allows it one line below them that says how it stands. */
export class Screen implements Disposable {
  readonly #terminal: Terminal
  readonly #status: () => string
  readonly #timer: NodeJS.Timeout | null
  #shown = false

  /** `status` is one line without a newline; '' shows none. It is asked for again every second. */
  constructor(terminal: Terminal, status: () => string) {
    this.#terminal = terminal
    this.#status = status
    this.#timer = terminal.live ? setInterval(() => this.#write(''), 1000) : null
    this.#timer?.unref()
  }

  print(lines: readonly string[]): void {
    if (lines.length > 0) this.#write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Clears the line below, so that something else can use the terminal. */
  clear(): void {
    if (this.#shown) this.#terminal.out(erase)
    this.#shown = false
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.clear()
  }

  #write(text: string): void {
    const status = this.#terminal.live ? this.#status() : ''
    this.#terminal.out(`${this.#shown ? erase : ''}${text}${status}`)
    this.#shown = status !== ''
  }
}

const erase = '\r\u001b[2K'
