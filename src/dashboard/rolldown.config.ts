import { defineConfig } from 'rolldown'

/** The pages in one file, made of some seventy: a phone asks once, and not for each, whether it has changed. */
export default defineConfig({
  input: { main: 'src/dashboard/main.tsx' },
  platform: 'browser',
  transform: { target: 'es2023' },
  output: { dir: 'dist/dashboard', cleanDir: true, minify: true },
})
