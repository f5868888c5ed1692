import type { Action, Offered, Schema } from './script.ts'

/** A call, before an API gives it its shape. `input` is text for a freeform tool. */
export interface Call {
  readonly tool: Offered
  readonly input: Readonly<Record<string, unknown>> | string
}

// The names that agents of today give to their tools, and to what those take.
const shells =
  /^(?:bash|shell|shell_command|exec_command|local_shell|run_shell_command|run_terminal_cmd|execute)$/i
const writers = /^(?:write|write_file|create_file|file_write)$/i
const commands = ['command', 'cmd', 'script']
const paths = ['file_path', 'filePath', 'path', 'absolute_path', 'filename']
const contents = ['content', 'contents', 'text', 'file_text']

/** Throws where the request offers nothing that does it: then the script does not fit the agent. */
export function callOf(action: Exclude<Action, { do: 'say' }>, tools: readonly Offered[]): Call {
  switch (action.do) {
    case 'run':
      return shellCall(action.command, tools)
    case 'write': {
      const tool = tools.find(({ name }) => writers.test(name))
      const path = keyOf(tool, paths)
      const content = keyOf(tool, contents)
      if (tool === undefined || path === null || content === null)
        return shellCall(writing(action.path, action.content), tools)
      return {
        tool,
        input: { ...filled(tool.schema), [path]: action.path, [content]: action.content },
      }
    }
    case 'call': {
      const tool = tools.find(({ name }) => name === action.tool)
      return { tool: tool ?? { name: action.tool, schema: {}, kind: 'function' }, input: action.input }
    }
  }
}

function shellCall(command: string, tools: readonly Offered[]): Call {
  const tool = tools.find(({ name, kind }) => kind === 'shell' || shells.test(name))
  const names = tools.map(({ name }) => name).join(', ')
  if (tool === undefined) throw new Error(`No tool of the request runs a command; it offers ${names}.`)
  if (tool.kind === 'freeform') return { tool, input: command }
  const words = ['bash', '-lc', command]
  if (tool.kind === 'shell') return { tool, input: { type: 'exec', command: words, env: {} } }
  const key = keyOf(tool, commands)
  if (key === null) throw new Error(`The tool ${tool.name} takes no command.`)
  const takesList = tool.schema.properties?.[key]?.type === 'array'
  return { tool, input: { ...filled(tool.schema), [key]: takesList ? words : command } }
}

/** Bytes that no quoting changes. */
function writing(path: string, content: string): string {
  const base64 = Buffer.from(content).toString('base64')
  return `mkdir -p "$(dirname '${path}')" && printf %s '${base64}' | base64 -d > '${path}'`
}

function keyOf(tool: Offered | undefined, names: readonly string[]): string | null {
  return names.find((name) => tool?.schema.properties?.[name] !== undefined) ?? null
}

/** A value for all that the tool wants: a model would have thought of a better one. */
function filled(schema: Schema): Record<string, unknown> {
  const wanted = schema.required ?? []
  return Object.fromEntries(wanted.map((name) => [name, valueFor(schema.properties?.[name] ?? {})]))
}

function valueFor({ type, enum: choices, ...schema }: Schema): unknown {
  if (choices !== undefined && choices.length > 0) return choices[0]
  switch (String(Array.isArray(type) ? type[0] : type).toLowerCase()) {
    case 'boolean':
      return false
    case 'number':
    case 'integer':
      return 1
    case 'array':
      return []
    case 'object':
      return filled(schema)
    default:
      return 'scripted'
  }
}
