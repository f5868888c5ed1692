import type { Setting } from './hardening.ts'

/** The names of the filters that the settings of a repository have programs for. */
export function filterNames(settings: readonly Setting[]): readonly string[] {
  return [...new Set(settings.flatMap(([key]) => /^filter\.(.*)\.[^.]+$/s.exec(key)?.[1] ?? []))]
}

/** Switches these filters off one by one: git would run them to see whether a file has changed, and to write one. */
export function filtersOff(names: readonly string[]): readonly Setting[] {
  return names.flatMap((name): readonly Setting[] => [
    [`filter.${name}.clean`, ''],
    [`filter.${name}.smudge`, ''],
    [`filter.${name}.process`, ''],
    [`filter.${name}.required`, 'false'],
  ])
}
