import { plain } from './text.ts'

/** A line that grows longer than this is shown in pieces, characters. */
const longest = 4000

/** Cuts the output of boxes, which comes in pieces, into whole lines that are safe to print. */
export class OutputLines {
  #open = ''

  /** The lines that `piece` completes. */
  push(piece: string): readonly string[] {
    const text = this.#open + piece
    const end = text.lastIndexOf('\n') + 1
    this.#open = text.slice(end)
    const lines = end === 0 ? [] : plain(text.slice(0, end - 1)).split('\n')
    return this.#open.length > longest ? [...lines, ...this.rest()] : lines
  }

  /** What is left without an end of line. */
  rest(): readonly string[] {
    const text = plain(this.#open)
    this.#open = ''
    return text === '' ? [] : text.split('\n')
  }
}
