import { defineConfig } from 'rolldown'

/** Left where they are: one is a native addon, some are loaded on demand, and src/sandbox/docker/load.ts looks into one. */
export const external = ['better-sqlite3', 'discord.js', 'dockerode', 'pino', 'simple-git', 'undici']
export const target = 'node20.19'

/**
 * The program in a few files, made of some thousand: to find and read those took half of each start. Not minified, so that a stack
 * trace can be read; `NODE_OPTIONS=--enable-source-maps` has it name the sources.
 */
export default defineConfig({
  input: { cofferdam: 'src/cli/main.ts' },
  platform: 'node',
  transform: { target },
  external,
  output: { dir: 'dist/program', cleanDir: true, sourcemap: true },
})
