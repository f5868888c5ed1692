/** What an attempt in a box came to. */
export interface Answer {
  readonly code: number
  /** Both streams, its last 4,000 bytes. */
  readonly out: string
}

export type Attempts = Readonly<Record<string, string>>

const mark = '@@attempt'

// Runs every attempt as a shell of its own and prints a line of JSON for each, so that one box can try many.
const driver = `
import json, subprocess, sys
for name, script in json.loads(sys.argv[1]).items():
    try:
        done = subprocess.run(["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=20)
        code, out = done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        code, out = 255, b"timed out"
    sys.stdout.write("${mark} " + json.dumps([name, code, out[-4000:].decode("utf8", "replace")]) + "\\n")
    sys.stdout.flush()
`

/** The argv of a box that makes these attempts. */
export function probe(attempts: Attempts): readonly string[] {
  return ['python3', '-c', driver, JSON.stringify(attempts)]
}

/** A shell command that runs a Python program. */
export function python(program: string): string {
  return `python3 - <<'END_OF_PROGRAM'\n${program}\nEND_OF_PROGRAM`
}

/** The answers of a box that ran a `probe`. */
export class Answers {
  readonly #all = new Map<string, Answer>()

  constructor(output: string) {
    for (const line of output.split('\n')) {
      if (!line.startsWith(`${mark} `)) continue
      const [name, code, out] = JSON.parse(line.slice(mark.length)) as [string, number, string]
      this.#all.set(name, { code, out })
    }
  }

  get(name: string): Answer {
    const answer = this.#all.get(name)
    if (answer === undefined) throw new Error(`the box did not get to "${name}"`)
    return answer
  }

  /** All attempts whose name begins so, and there is at least one. */
  of(start: string): readonly (readonly [name: string, answer: Answer])[] {
    const found = [...this.#all].filter(([name]) => name.startsWith(start))
    if (found.length === 0) throw new Error(`the box tried nothing for ${start}`)
    return found
  }

  /** Expects that every attempt of a case failed, and says how. */
  refused(start: string): string {
    const all = this.of(start)
    const done = all.filter(([, { code }]) => code === 0).map(([name, { out }]) => `${name}: ${out}`)
    if (done.length > 0) throw new Error(`not refused in the box: ${done.join('; ')}`)
    const errors = all.map(([name, answer]) => `${name.slice(start.length).trim()}: ${errorOf(answer)}`)
    return `Refused in the box: ${errors.join('; ')}.`
  }
}

const known =
  /read-only file system|device or resource busy|permission denied|operation not permitted|no such file or directory|cross-device link|not a directory|file too large|network is unreachable|connection refused|name resolution|name or service not known|invalid argument|function not implemented|resource temporarily unavailable|no space left|file exists|timed out/i

/** The kernel's word for why an attempt failed, or its exit code. */
function errorOf({ code, out }: Answer): string {
  return known.exec(out)?.[0].toLowerCase() ?? `exit code ${code}`
}
