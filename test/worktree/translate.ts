import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import type { Lab } from './lab.ts'

const project = join(import.meta.dirname, '../..')

/** The sources as plain JavaScript, for a process that no test runner loads. */
export function translate(lab: Lab): string {
  const out = join(lab.folder, 'js')
  for (const folder of ['src/domain', 'src/worktree', 'test/worktree']) {
    const all = readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    for (const name of all.filter((name) => /(?<!\.test)\.ts$/.test(name))) {
      const { outputText } = ts.transpileModule(readFileSync(join(project, folder, name), 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2023,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      })
      const file = join(out, folder, name.replace(/\.ts$/, '.js'))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, outputText)
    }
  }
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
  symlinkSync(join(project, 'node_modules'), join(out, 'node_modules'))
  return out
}
