import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Limits } from '../clock.ts'
import type { Gateway } from '../gateway.ts'
import type { Interaction } from '../interaction.ts'
import type { CommandBody } from '../shapes.ts'
import type { SentFile, World } from '../world.ts'

/** What every route needs. */
export interface Wire {
  readonly world: World
  readonly gateway: Gateway
  readonly limits: Limits
  readonly commands: {
    all: readonly (CommandBody & { readonly id: string; readonly version: string })[]
    puts: number
  }
  readonly interactions: Map<string, Interaction>
  /** Messages by nonce and channel, with the time at which they were made. */
  readonly nonces: Map<string, { readonly id: string; readonly at: number }>
}

export interface Env {
  readonly Bindings: HttpBindings
}

/** The JSON of a body and its files, whether it came as JSON or as a form. */
export async function bodyOf(c: Context<Env>): Promise<{ json: unknown; files: readonly SentFile[] }> {
  const type = c.req.header('content-type') ?? ''
  if (!type.startsWith('multipart/form-data')) {
    const text = await c.req.text()
    return { json: text === '' ? {} : JSON.parse(text), files: [] }
  }
  const form = await c.req.formData()
  const files: SentFile[] = []
  for (const [name, value] of form) {
    if (name.startsWith('files[') && typeof value !== 'string')
      files.push({ name: value.name, bytes: Buffer.from(await value.arrayBuffer()) })
  }
  const payload = form.get('payload_json')
  return { json: typeof payload === 'string' ? JSON.parse(payload) : {}, files }
}

export function param(c: Context<Env>, name: string): string {
  return c.req.param(name) ?? ''
}
