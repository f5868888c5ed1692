import type { AgentProgress } from '../domain/agent.ts'

// What tools of agents call the file that they change, and what they do in a line.
const pathKeys = ['file_path', 'filePath', 'path', 'absolute_path', 'notebook_path']
const textKeys = ['command', 'cmd', 'pattern', 'query', 'url', 'description', 'prompt']
const writes = /write|edit|replace|patch|create|update/i

/** A call of a tool by its name and input, whatever the agent: the input's usual keys say what with. */
export function toolUse(tool: string, input: unknown): AgentProgress {
  const values = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {}
  const path = firstText(values, pathKeys)
  const text = firstText(values, textKeys) ?? path ?? ''
  return { kind: 'tool', tool, text, paths: path !== null && writes.test(tool) ? [inTree(path)] : [] }
}

export function said(text: string): readonly AgentProgress[] {
  return text.trim() === '' ? [] : [{ kind: 'said', text: text.trim() }]
}

/** A path as the repository has it. */
export function inTree(path: string): string {
  return path.startsWith('/work/') ? path.slice('/work/'.length) : path
}

/** Lines that are none of the protocol are shown as they are. */
export function otherLine(line: string): readonly AgentProgress[] {
  return line.trim() === '' || line.startsWith('{') ? [] : [{ kind: 'line', text: line }]
}

function firstText(values: Readonly<Record<string, unknown>>, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = values[key]
    if (typeof value === 'string' && value.trim() !== '') return value
  }
  return null
}
