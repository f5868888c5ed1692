import type { TreePath } from '../brand.ts'

/** Kinds of languages whose tests are written alike. */
export type TestLanguage = 'js' | 'python' | 'go' | 'ruby' | 'rust' | 'jvm' | 'cs' | 'other'

const languages: readonly (readonly [RegExp, TestLanguage])[] = [
  [/\.(?:[cm]?[jt]sx?|vue|svelte)$/i, 'js'],
  [/\.pyi?$/i, 'python'],
  [/\.go$/i, 'go'],
  [/\.rb$/i, 'ruby'],
  [/\.rs$/i, 'rust'],
  [/\.(?:java|kts?|scala|groovy)$/i, 'jvm'],
  [/\.(?:cs|fs|vb)$/i, 'cs'],
  [
    /\.(?:php|swift|c|cc|cpp|cxx|h|hpp|mm?|exs?|erl|clj[cs]?|dart|lua|pl|t|sh|bats|feature|hs|jl|r|zig|ml|elm|nim)$/i,
    'other',
  ],
]

/** The language of a file by its name; null where it is no code. */
export function languageOf(path: TreePath): TestLanguage | null {
  return languages.find(([names]) => names.test(path))?.[1] ?? null
}

const folders =
  /(?:^|\/)(?:tests?|__tests__|specs?|e2e|cypress|playwright|integration[-_]tests?|unit[-_]?tests?|testing|t)\//i
const names =
  /(?:^|\/)(?:test_[^/]+|[^/]+[._-](?:tests?|spec|cy|e2e)\.[^/]+|[^/]*[a-z0-9]Tests?\.[^/]+|[^/]*[a-z0-9]Spec\.[^/]+|conftest\.py|[^/]+\.(?:bats|feature|t))$/

/** Whether a file holds tests, by its name: code in a folder of tests, or code that is named like one. */
export function isTest(path: TreePath): boolean {
  return languageOf(path) !== null && (folders.test(path) || names.test(path))
}

/** Files that may say how the tests are run and how much has to pass. */
const settings =
  /(?:^|\/)(?:package\.json|(?:jest|vitest|vite|karma|playwright|cypress|ava|mocha|wtr|stryker)[\w.-]*\.(?:[cm]?[jt]s|json|ya?ml)|\.(?:nycrc|c8rc|mocharc|coveragerc|rspec|taprc)[\w.]*|\.?codecov\.ya?ml|pyproject\.toml|setup\.cfg|tox\.ini|pytest\.ini|noxfile\.py|phpunit[\w.-]*\.xml|build\.gradle(?:\.kts)?|pom\.xml|makefile|justfile|sonar-project\.properties|\.simplecov|tarpaulin\.toml|\.?nextest\.toml)$/i

export function isTestSetting(path: TreePath): boolean {
  return settings.test(path)
}
