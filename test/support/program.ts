import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A TypeScript program made ready for plain `node`, for tests that need a process of their own to kill. */
export interface Program {
  /** The JavaScript file to run. */
  readonly file: string
  [Symbol.dispose](): void
}

/** Translates `entry` (a path from the root of the project, or its URL) and what it imports; types are not checked. */
export function program(entry: string | URL): Program {
  mkdirSync(join(root, '.results'), { recursive: true })
  // Inside the project, so that packages are found.
  const folder = mkdtempSync(join(root, '.results', 'program-'))
  const done = new Set<string>()
  const translate = (source: string): void => {
    if (done.has(source)) return
    done.add(source)
    const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
      fileName: source,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    const target = outputOf(folder, source)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, outputText)
    for (const { fileName } of ts.preProcessFile(outputText).importedFiles) {
      if (fileName.startsWith('.')) translate(resolve(dirname(source), fileName.replace(/\.js$/, '.ts')))
    }
  }
  const start = typeof entry === 'string' ? resolve(root, entry) : fileURLToPath(entry)
  translate(start)
  return {
    file: outputOf(folder, start),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function outputOf(folder: string, source: string): string {
  return join(folder, relative(root, source).replace(/\.ts$/, '.js'))
}
