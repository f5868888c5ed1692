import { Tokenizer, TokenType } from '@streamparser/json'

type Scalar = string | number | boolean | null
/** Told of every value in a document, also where a key is there twice. `*` stands for a place in a list. */
export type Visit = (path: readonly string[], value: Scalar | undefined) => void

export class NotJson extends Error {}

/** Deeper than any request of an agent; what is kept for a document is this much and its longest string. */
const deepest = 64

interface Level {
  readonly list: boolean
  /** What comes next. `first`: a key or value, or the end at once. */
  expects: 'first' | 'key' | 'colon' | 'value' | 'comma'
}

/**
 * Reads a JSON document as it comes, in chunks, and keeps none of it: a large one neither stops the event loop nor fills the
 * memory. Stricter than JSON, never laxer. Throws `NotJson`.
 */
export class JsonReader {
  private readonly tokenizer = new Tokenizer({ stringBufferSize: 16 * 1024 })
  private readonly visit: Visit
  private readonly levels: Level[] = []
  private readonly path: string[] = []
  private over = false

  constructor(visit: Visit) {
    this.visit = visit
    this.tokenizer.onToken = ({ token, value }) => this.token(token, value)
    this.tokenizer.onError = (error) => {
      throw error instanceof NotJson ? error : new NotJson('it is not JSON', { cause: error })
    }
  }

  write(chunk: Uint8Array): void {
    this.tokenizer.write(chunk)
  }

  /** The document is complete; a number alone never is. */
  get isOver(): boolean {
    return this.over
  }

  /** Throws where the document is not complete. */
  end(): void {
    // A number has no end of its own, and half a word after the document is still waited for.
    this.tokenizer.end()
    if (!this.over) throw new NotJson('it is not complete JSON')
  }

  private token(token: TokenType, value: Scalar): void {
    if (this.over) throw new NotJson('something follows it')
    const level = this.levels.at(-1)
    switch (token) {
      case TokenType.LEFT_BRACE:
      case TokenType.LEFT_BRACKET:
        this.begins(level)
        this.visit(this.path, undefined)
        if (this.levels.length === deepest) throw new NotJson('it is nested too deeply')
        this.levels.push({ list: token === TokenType.LEFT_BRACKET, expects: 'first' })
        this.path.push('*')
        return
      case TokenType.RIGHT_BRACE:
      case TokenType.RIGHT_BRACKET:
        if (
          level === undefined ||
          level.list !== (token === TokenType.RIGHT_BRACKET) ||
          (level.expects !== 'first' && level.expects !== 'comma')
        )
          throw new NotJson('a bracket is out of place')
        this.levels.pop()
        this.path.pop()
        return this.ended()
      case TokenType.COLON:
        if (level === undefined || level.expects !== 'colon') throw new NotJson('a colon is out of place')
        level.expects = 'value'
        return
      case TokenType.COMMA:
        if (level === undefined || level.expects !== 'comma') throw new NotJson('a comma is out of place')
        level.expects = level.list ? 'value' : 'key'
        return
      case TokenType.STRING:
        if (level !== undefined && !level.list && (level.expects === 'first' || level.expects === 'key')) {
          this.path[this.path.length - 1] = String(value)
          level.expects = 'colon'
          return
        }
        return this.scalar(level, value)
      default:
        return this.scalar(level, value)
    }
  }

  private scalar(level: Level | undefined, value: Scalar): void {
    this.begins(level)
    this.visit(this.path, value)
    this.ended()
  }

  private begins(level: Level | undefined): void {
    if (level === undefined || level.expects === 'value' || (level.list && level.expects === 'first')) return
    throw new NotJson('a value is out of place')
  }

  private ended(): void {
    const level = this.levels.at(-1)
    if (level === undefined) this.over = true
    else level.expects = 'comma'
  }
}
