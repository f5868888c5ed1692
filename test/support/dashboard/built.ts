import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { type DashboardPlaces, dashboardPlaces } from '../../../control-plane/http/dashboard/files.ts'

/** The dashboard as it is in the sources now, translated as `npm run build` does it; types are not checked. */
export function builtDashboard(): DashboardPlaces {
  const places = dashboardPlaces()
  const code = mkdtempSync(join(tmpdir(), 'cofferdam-dashboard-'))
  const names = readdirSync(places.looks, { recursive: true, encoding: 'utf8' })
  for (const name of names.filter((each) => /\.tsx?$/.test(each))) {
    const { outputText } = ts.transpileModule(readFileSync(join(places.looks, name), 'utf8'), {
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
    const file = join(code, name.replace(/\.tsx?$/, '.js'))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, outputText)
  }
  return { ...places, code }
}
