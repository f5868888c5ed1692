import { inABox } from './suite.ts'

inABox('gemini')
