import type { Leak } from './gateway.ts'
import { type Automaton, automatonOf } from './leak-automaton.ts'
import { patternsOf, type RevealedSecret } from './leak-patterns.ts'

/** A known secret that was found, without its value and without where it went. */
export type Hit = Omit<Leak, 'way'>

/**
 * Secrets compiled for the search, once. One pass over the bytes finds each of them raw, URL-encoded, JSON-escaped, in hex
 * and in base64 (both alphabets, at each of the three alignments), however the bytes are cut into chunks.
 */
export class KnownSecrets {
  readonly automaton: Automaton
  private readonly hits: readonly Hit[]

  /** Values below `shortestSecret` characters are left out: they would be found everywhere. */
  constructor(secrets: readonly RevealedSecret[]) {
    const patterns = patternsOf(secrets)
    this.automaton = automatonOf(patterns.map(({ bytes }) => bytes))
    this.hits = patterns.map(({ secret, encoding }) => ({ secret, encoding }))
  }

  /** Nothing is known, so nothing can be found. */
  get isEmpty(): boolean {
    return this.hits.length === 0
  }

  hit(pattern: number): Hit {
    const found = this.hits[pattern]
    if (found === undefined) throw new Error('a pattern that nobody compiled was found')
    return found
  }

  /** The first secret in a text or in bytes, or null. */
  findIn(what: string | Buffer): Hit | null {
    return this.scanner().push(typeof what === 'string' ? Buffer.from(what) : what)[0] ?? null
  }

  /** The text with `[redacted:<name>]` in the place of each secret. */
  redact(text: string, onHit: (hit: Hit) => void = () => undefined): string {
    return this.redactBytes(Buffer.from(text), onHit).toString()
  }

  redactBytes(bytes: Buffer, onHit: (hit: Hit) => void): Buffer {
    const redactor = this.redactor(onHit)
    return Buffer.concat([redactor.push(bytes), redactor.end()])
  }

  scanner(): LeakScanner {
    return new LeakScanner(this)
  }

  redactor(onHit: (hit: Hit) => void): Redactor {
    return new Redactor(this, onHit)
  }
}

/** Reports the secrets in a stream. */
export class LeakScanner {
  private state = 0
  private readonly known: KnownSecrets

  constructor(known: KnownSecrets) {
    this.known = known
  }

  /** What came to its end in this chunk. */
  push(chunk: Uint8Array): readonly Hit[] {
    const { automaton } = this.known
    const hits: Hit[] = []
    this.state = automaton.run(this.state, chunk, (pattern) => void hits.push(this.known.hit(pattern)))
    return hits
  }
}

/** A piece of the stream that is a secret, from `start` to before `end`, counted from the stream's first byte. */
interface Piece {
  start: number
  end: number
  readonly secret: string
}

/**
 * Replaces the secrets in a stream by `[redacted:<name>]`. It holds back only bytes that may be the beginning of a secret,
 * so text without such a beginning passes at once. Secrets that overlap become one mark.
 */
export class Redactor {
  private readonly known: KnownSecrets
  private readonly onHit: (hit: Hit) => void
  private state = 0
  /** Bytes that came in, and those of them that are settled: handed out, or replaced. */
  private seen = 0
  private settled = 0
  private held: Buffer = Buffer.alloc(0)
  private pieces: Piece[] = []

  constructor(known: KnownSecrets, onHit: (hit: Hit) => void) {
    this.known = known
    this.onHit = onHit
  }

  /** The bytes that are certain by now; may be empty. */
  push(chunk: Buffer): Buffer {
    const { automaton } = this.known
    const from = this.seen
    this.state = automaton.run(this.state, chunk, (pattern, end) => {
      const hit = this.known.hit(pattern)
      this.found({
        start: from + end - automaton.lengthOf(pattern),
        end: from + end,
        secret: hit.secret,
      })
      this.onHit(hit)
    })
    this.seen += chunk.length
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    return this.settle(this.seen - automaton.depthOf(this.state))
  }

  /** The rest, when the stream is over. The redactor may be used for another stream afterwards. */
  end(): Buffer {
    const rest = this.settle(this.seen)
    this.state = 0
    this.seen = 0
    this.settled = 0
    return rest
  }

  /** Pieces come in the order of their ends; one that begins in or before an earlier one is one with it. */
  private found(piece: Piece): void {
    for (
      let last = this.pieces.at(-1);
      last !== undefined && piece.start < last.end;
      last = this.pieces.at(-1)
    ) {
      this.pieces.pop()
      piece = {
        ...piece,
        start: Math.min(piece.start, last.start),
        secret: (piece.start <= last.start ? piece : last).secret,
      }
    }
    this.pieces.push(piece)
  }

  /** Hands out what no later byte can make part of a secret: all before `certain`. */
  private settle(certain: number): Buffer {
    const base = this.seen - this.held.length
    const out: Buffer[] = []
    let at = this.settled
    while (this.pieces[0] !== undefined && this.pieces[0].start < Math.max(certain, at)) {
      const { start, end, secret } = this.pieces.shift() as Piece
      if (start >= at)
        out.push(this.held.subarray(at - base, start - base), Buffer.from(`[redacted:${secret}]`))
      at = Math.max(at, end)
    }
    if (at < certain) {
      out.push(this.held.subarray(at - base, certain - base))
      at = certain
    }
    this.settled = at
    this.held = this.held.subarray(at - base)
    return out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out)
  }
}
