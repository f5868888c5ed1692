/** What a scripted model does, in no API's words; each API says it in its own. */
export type Action =
  /** A text for the person, beside or instead of a call. */
  | { readonly do: 'say'; readonly text: string }
  /** A call of the tool that runs shell commands. */
  | { readonly do: 'run'; readonly command: string }
  /** A call of the tool that writes whole files; by a shell command where none is offered. `path` is absolute. */
  | { readonly do: 'write'; readonly path: string; readonly content: string }
  /** A call of any tool by its name, also one that was not offered. */
  | { readonly do: 'call'; readonly tool: string; readonly input: Readonly<Record<string, unknown>> }

/** One answer of the model. Without a call in it, it is the end of the agent's turn. */
export interface Turn {
  readonly actions: readonly Action[]
  /** What it says that it took, instead of what its length comes to. */
  readonly tokens?: Partial<Told>
}

/** Tokens as every API means them, before each puts them into its own fields: no number is part of another. */
export interface Told {
  /** Read anew. */
  readonly input: number
  readonly cached: number
  readonly cacheWrite: number
  /** Without reasoning. */
  readonly output: number
  readonly reasoning: number
}

/** A tool that a request offers. `freeform`: it takes one text instead of an object. */
export interface Offered {
  readonly name: string
  readonly schema: Schema
  readonly kind: 'function' | 'freeform' | 'shell'
}

export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
}

/** A request, as far as a script looks at it. */
export interface Conversation {
  readonly api: 'messages' | 'responses' | 'chat' | 'gemini'
  readonly model: string
  readonly stream: boolean
  readonly tools: readonly Offered[]
  /** What was said and done so far, oldest first, without the system's part. */
  readonly items: readonly Item[]
  /** How often the model has answered in it. */
  readonly round: number
  /** Of Chat Completions: a stream tells its usage only where it is asked to. */
  readonly tellsUsage?: boolean
}

export interface Item {
  readonly by: 'user' | 'model' | 'call' | 'result'
  readonly text: string
}

/** What is wrong with one answer. */
export type Fault =
  | { readonly kind: 'rate limit'; readonly retryAfter: number }
  | { readonly kind: 'overload' | 'server error' | 'auth' | 'context' }
  /** The connection ends in the middle of the stream, after what the model said and before its end. */
  | { readonly kind: 'truncated' }
  /** The input of its first call is no whole JSON; of an API that sends objects, no input that the tool takes. */
  | { readonly kind: 'malformed call' }
  | { readonly kind: 'slow'; readonly eventMs: number }
  | { readonly kind: 'content type'; readonly type: string }
  | { readonly kind: 'hang' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** Says the credential that it got, and sends it in a header. */
  | { readonly kind: 'echo' }

/**
 * Turns in order, by how often the model has answered in the conversation (the last one again after the end), or a function
 * of the conversation. A list answers a request that offers no tools beside it: agents ask for titles and the like.
 */
export type Script = readonly Turn[] | ((conversation: Conversation) => Turn)

export const say = (text: string): Action => ({ do: 'say', text })
export const run = (command: string): Action => ({ do: 'run', command })
export const write = (path: string, content: string): Action => ({ do: 'write', path, content })
export const turn = (...actions: readonly Action[]): Turn => ({ actions })
/** The last turn of a step, in the words of the contract with Cofferdam. */
export const finish = (text = 'All done.', state = 'DONE'): Turn =>
  turn(say(`${text}\n\nTASK_STATE: ${state}`))

export function turnOf(script: Script, conversation: Conversation): Turn {
  if (typeof script === 'function') return script(conversation)
  if (conversation.tools.length === 0 && conversation.round === 0) return turn(say('A scripted answer'))
  return script[Math.min(conversation.round, script.length - 1)] ?? finish()
}
