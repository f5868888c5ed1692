import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

let shared: Promise<Browser> | null = null

/** The one of all files of tests in a process; it ends with that. */
export const sharedBrowser = (): Promise<Browser> => (shared ??= openBrowser())

// Without what draws a window on a screen, which cost more than half of the processor's time.
const program = '/usr/bin/chromium-headless-shell'

/** A Chromium without a window, Debian's. Rejects with a sentence where there is none. */
export async function openBrowser(...more: readonly string[]): Promise<Browser> {
  if (!existsSync(program))
    throw new Error(
      `There is no ${program}, in which the dashboard is tried: apt-get install chromium-headless-shell.`,
    )
  // Root has no sandbox of Chromium's; what is looked at here is our own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath: program, args: [...args, ...more] })
}
