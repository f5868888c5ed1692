/** Where a build tells how far it is. */
export interface BuildWatcher {
  /** One line for people, without a line end. Long parts call it at least every ten seconds. */
  progress(line: string): void
}

/** Says what goes on, and again every ten seconds for as long as it does. */
export function tellingTime(watcher: BuildWatcher, first: string): { next(part: string): void; end(): void } {
  let doing = first
  let seconds = 0
  const timer = setInterval(() => {
    seconds += 10
    watcher.progress(`  ${doing}, ${seconds} s`)
  }, 10_000)
  return {
    next(part) {
      doing = part
      watcher.progress(`  ${part}`)
    },
    end: () => clearInterval(timer),
  }
}
