/** What the starter looks at: names of files at the top of the tree. */
export interface Starter {
  /** What was found, in words. */
  found: string
  text: string
  /** Images that the nodes must be able to get. */
  images: string[]
}

interface Language {
  found: string
  image: string
  steps: string[]
}

const languages: [file: string, language: Language][] = [
  ['package.json', { found: 'a Node package', image: 'cimg/node:lts', steps: ['npm ci', 'npm test'] }],
  ['Gemfile', { found: 'a Ruby project', image: 'cimg/ruby:3.3', steps: ['bundle install', 'bundle exec rake test'] }],
  ['requirements.txt', { found: 'a Python project', image: 'cimg/python:3.12', steps: ['pip install -r requirements.txt', 'python -m unittest'] }],
  ['pyproject.toml', { found: 'a Python project', image: 'cimg/python:3.12', steps: ['pip install .', 'python -m unittest'] }],
  ['go.mod', { found: 'a Go module', image: 'cimg/go:1.24', steps: ['go build ./...', 'go test ./...'] }],
]

/** A first `.circleci/config.yml` for a tree with these files. A Dockerfile says best how a tree is built: it comes before everything else. */
export function starterConfig(files: ReadonlySet<string>, project: string): Starter {
  if (files.has('Dockerfile'))
    return {
      found: 'a Dockerfile',
      images: [],
      text: config('    machine: true', [['Build the image', `docker build -t ${project}:$CIRCLE_SHA1 .`]]),
    }
  for (const [file, { found, image, steps }] of languages)
    if (files.has(file))
      return {
        found,
        images: [image],
        text: config(
          `    docker:\n      - image: ${image}`,
          steps.map((step) => [step, step]),
        ),
      }
  if (files.has('Makefile')) return { found: 'a Makefile', images: [], text: config('    machine: true', [['make', 'make']]) }
  return { found: 'nothing that says how it is built', images: [], text: config('    machine: true', [['Look around', 'git log -1 && ls -l']]) }
}

function config(executor: string, steps: [name: string, command: string][]): string {
  const lines = steps.map(([name, command]) => `      - run:\n          name: ${name}\n          command: ${command}`)
  return `version: 2.1

jobs:
  build:
${executor}
    steps:
      - checkout
${lines.join('\n')}

workflows:
  main:
    jobs:
      - build
`
}
