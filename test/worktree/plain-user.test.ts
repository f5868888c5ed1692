import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { openLab, repository, type Lab } from './lab.ts'

const project = join(import.meta.dirname, '../..')

/** The sources as plain JavaScript, for a process that no test runner loads. */
function translate(lab: Lab): string {
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

test.runIf(process.geteuid?.() === 0)(
  'root becomes a plain user: it works, also where the agent took all rights away',
  () => {
    using lab = openLab()
    const foreign = repository(lab, { 'a.txt': 'a\n' })
    const home = join(lab.folder, 'home')
    mkdirSync(home)
    chownSync(home, 12_345, 12_345)
    const script = join(translate(lab), 'test/worktree/plain-user.js')
    expect(execFileSync(process.execPath, [script, home, foreign], { encoding: 'utf8' })).toBe('done\n')
  },
)
