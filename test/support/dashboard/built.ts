import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { type DashboardPlaces, dashboardPlaces, shared } from '../../../control-plane/http/dashboard/files.ts'

/**
 * The dashboard as it is in the sources now, translated as `npm run build` does it; types are not checked. Once for all
 * files of tests in a process.
 */
export function builtDashboard(): DashboardPlaces {
  built ??= build()
  return built
}

let built: DashboardPlaces | null = null

function build(): DashboardPlaces {
  const places = dashboardPlaces()
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-dashboard-'))
  const [code, domain] = [join(folder, 'dashboard'), join(folder, 'domain')]
  translate(places.looks, code)
  translate(join(places.looks, '../domain'), domain, (name) =>
    shared.some((each) => each === name.replace(/\.ts$/, '.js')),
  )
  return { ...places, code, domain }
}

function translate(from: string, to: string, isMeant = (_name: string): boolean => true): void {
  const names = readdirSync(from, { recursive: true, encoding: 'utf8' })
  for (const name of names.filter((each) => /\.tsx?$/.test(each) && isMeant(each))) {
    const { outputText } = ts.transpileModule(readFileSync(join(from, name), 'utf8'), {
      fileName: name,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        jsx: ts.JsxEmit.ReactJSX,
        jsxImportSource: 'preact',
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    const file = join(to, name.replace(/\.tsx?$/, '.js'))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, outputText)
  }
}
