import type { BoxResult } from './box.ts'

/** How programs say that something they need is not installed. A missing file of the repository itself is none. */
const missing: readonly RegExp[] = [
  /Cannot find (?:module|package) '(?![./])[^']+'/,
  /ERR_MODULE_NOT_FOUND.*Cannot find package/,
  /ModuleNotFoundError: No module named '[^']+'/,
  /No module named [\w.]+/,
  /: (?:command )?not found\b/,
  /cannot load such file -- (?![./])\S+ \(LoadError\)/,
  /no required module provides package/,
]

/**
 * Why a test command cannot even start on the base, as a sentence with what to add; null where it ran. A failing test
 * is no such thing.
 */
export function cannotStart(result: BoxResult, hasSetup: boolean): string | null {
  const notFound = result.end === 'not_started' || result.exitCode === 126 || result.exitCode === 127
  const line = result.exitCode === 0 ? undefined : lineSaying(result.output)
  if (!notFound && (result.end !== 'exited' || line === undefined)) return null
  const said = line ?? lastLine(result.output)
  const remedy = hasSetup
    ? 'Let the setup command install what is missing, then start a new task.'
    : 'Say what installs it with --setup, such as --setup "npm ci", in a new task.'
  return `The test command cannot start on the base${said === '' ? '' : `: ${said}`}. ${remedy}`
}

function lineSaying(output: string): string | undefined {
  return output
    .split('\n')
    .find((line) => missing.some((pattern) => pattern.test(line)))
    ?.trim()
    .slice(0, 300)
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim().slice(0, 300) ?? ''
}
