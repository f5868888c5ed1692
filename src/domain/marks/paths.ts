import type { TreePath } from '../brand.ts'
import { fold, foldName } from '../fold.ts'
import { compileList, type PatternList } from '../pattern-list.ts'
import { sensitivePaths } from '../policies.ts'
import { type Change, type Mark, type MarkRule, named } from './mark.ts'
import { isTest } from './test-files.ts'

interface PathRule {
  readonly rule: MarkRule
  readonly why: string
  readonly patterns: string
}

// Some are readonly by default; a policy may have opened them.
const rules: readonly PathRule[] = [
  {
    rule: 'ci',
    why: 'a forge runs or obeys it when the work is pushed',
    patterns: `${sensitivePaths.ci} .ci .github/dependabot.yml .github/dependabot.yaml CODEOWNERS renovate.json renovate.json5 .renovaterc
      .renovaterc.json .tekton .teamcity .semaphore .cirrus.yml cloudbuild.yaml cloudbuild.yml buildspec.yml codemagic.yaml
      bitrise.yml wercker.yml .sourcehut .build.yml .builds vercel.json netlify.toml fly.toml render.yaml
      .releaserc .releaserc.json .goreleaser.yml .goreleaser.yaml`,
  },
  {
    rule: 'hooks',
    why: 'git, a shell or an editor runs or obeys it when somebody works in the repository',
    patterns: `${sensitivePaths.hooks} ${sensitivePaths.editors} .gitattributes .gitmodules`,
  },
  {
    rule: 'lockfile',
    why: 'it decides which code of other people is installed',
    patterns: `package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock Pipfile.lock poetry.lock
      pdm.lock uv.lock pylock.toml conda-lock.yml go.sum go.work.sum Cargo.lock Gemfile.lock gems.locked composer.lock mix.lock
      rebar.lock pubspec.lock Package.resolved Podfile.lock Cartfile.resolved gradle.lockfile packages.lock.json paket.lock
      flake.lock Manifest.toml stack.yaml.lock cabal.project.freeze conan.lock .terraform.lock.hcl verification-metadata.xml
      requirements*.lock`,
  },
  {
    rule: 'registry',
    why: 'it decides where packages come from',
    patterns: sensitivePaths.packages,
  },
  {
    rule: 'container',
    why: 'images are built or services are run by it',
    patterns: `Dockerfile Dockerfile.* *.Dockerfile Containerfile Containerfile.* docker-compose*.yml docker-compose*.yaml compose.yml
      compose.yaml compose.*.yml compose.*.yaml .dockerignore .containerignore docker-bake.hcl docker-bake.json
      docker-entrypoint.sh Vagrantfile skaffold.yaml Tiltfile kustomization.yaml kustomization.yml Chart.yaml helmfile.yaml *.nomad`,
  },
  {
    rule: 'instructions',
    why: 'the next agent obeys it',
    patterns: `${sensitivePaths.agents} ${sensitivePaths.instructions}`,
  },
]

const compiled = rules.map((each) => ({ ...each, list: compileList(each.patterns.trim().split(/\s+/)) }))

/** Marks for what a path is, whatever is in it. */
export function pathMarks({ path, from }: Pick<Change, 'path' | 'from'>): readonly Mark[] {
  const marks = compiled
    .filter(({ list }) => matches(list, path) || matches(list, from))
    .map(({ rule, why }) => ({ rule, path, text: `${named(path)} is changed: ${why}.` }))
  if (!isMigration(path) && !isMigration(from)) return marks
  const text = `${named(path)} is changed: a migration changes data that no checkpoint brings back.`
  return [...marks, { rule: 'migration', path, text }]
}

/** Whether a list means a path or a folder that it lies in. */
function matches(list: PatternList, path: TreePath): boolean {
  const parts = path.split('/').map(foldName)
  return parts.some((name, index) => {
    const folder = index < parts.length - 1
    return list.match(parts.slice(0, index + 1).join('/'), name, folder) !== null
  })
}

const code = /\.(?:sql|py|[cm]?[jt]s|rb|php|go|rs|cs|exs?|xml|ya?ml|json|kts?|java|scala|pl|sh|toml|prisma)$/
const folders =
  /(?:^|\/)(?:migrations?|migrate|db_migrations|schema_migrations|flyway|liquibase|alembic\/versions|changelogs?\/db)\//
const files =
  /(?:^|\/)(?:v\d[\d._]*__[^/]+\.(?:sql|java)|u\d[\d._]*__[^/]+\.sql|migrations?\.(?:[cm]?[jt]s|py|rb|go|rs|sql|php)|structure\.sql|db\/schema\.rb|\d{8,14}_[^/]+\.(?:sql|rb|exs|php)|\d+_[^/]+\.(?:up|down)\.sql)$/

function isMigration(path: TreePath): boolean {
  const folded = fold(path)
  return !isTest(path) && ((folders.test(folded) && code.test(folded)) || files.test(folded))
}
