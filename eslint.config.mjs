import { readdirSync } from 'node:fs';

import js from '@eslint/js';
import prettier from 'eslint-config-prettier/flat';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';

const SRC = 'labextension/src';
const src = names => names.map(name => `./${SRC}/${name}`);

/**
 * The floors of the house, highest first: a floor may import lower ones only.
 * (`components` also knows nothing of the server, and may use only the generated types.)
 */
const FLOORS = [
  ['index.ts'],
  ['plugins'],
  ['sections'],
  ['components'],
  ['api'],
  [
    'tokens.ts',
    'types.ts',
    'text.ts',
    'icons.ts',
    'observable.ts',
    'problem.ts'
  ]
];

const zones = FLOORS.flatMap((floor, height) => {
  const above = FLOORS.slice(0, height).flat();
  return above.length === 0
    ? []
    : src(floor).map(target => ({
        target,
        from: src(above),
        message:
          'Imports only go down: index → plugins → sections → components → api → tokens, types, text, icons.'
      }));
});

zones.push({
  target: `./${SRC}/components`,
  from: `./${SRC}/api`,
  except: ['./schema.d.ts', './schema'],
  message:
    'A component knows nothing of the server; give it what it needs as props.'
});

for (const entry of readdirSync(`${SRC}/sections`, { withFileTypes: true })) {
  if (entry.isDirectory()) {
    zones.push({
      target: `./${SRC}/sections/${entry.name}`,
      from: `./${SRC}/sections`,
      except: [`./${entry.name}`],
      message:
        'Sections do not import each other; a plugin brings them together.'
    });
  }
}

const NETWORK = ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource'].map(
  name => ({ name, message: 'Requests are made in api/ only.' })
);
const NETWORK_MODULES = [
  {
    name: '@jupyterlab/services',
    importNames: ['ServerConnection'],
    allowTypeImports: true,
    message: 'Requests are made in api/ only.'
  },
  {
    name: 'tus-js-client',
    allowTypeImports: true,
    message: 'Uploads are made in api/ only.'
  }
];
const DOM = ['document', 'window', 'localStorage', 'sessionStorage'].map(
  name => ({ name, message: 'A model does not touch the DOM.' })
);

export default defineConfig([
  globalIgnores([
    '**/node_modules/**',
    '.venv/**',
    'coverage/**',
    'docs/**',
    'labextension/lib/**',
    `${SRC}/api/schema.d.ts`,
    'jupyter_slurmdash/**'
  ]),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' }
  },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [ts.configs.recommended],
    plugins: { import: importX },
    settings: {
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [
        createNodeResolver({ extensions: ['.ts', '.tsx', '.d.ts', '.js'] })
      ]
    },
    rules: {
      // A class and its IOptions share a name, as in JupyterLab.
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'import/no-cycle': 'error',
      'import/no-restricted-paths': [
        'error',
        { basePath: import.meta.dirname, zones }
      ]
    }
  },
  {
    files: [`${SRC}/**/*.{ts,tsx}`],
    plugins: { 'react-hooks': reactHooks },
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/no-floating-promises': 'error'
    }
  },
  {
    // One home for requests: everything outside api/ asks a client function.
    files: [`${SRC}/**/*.{ts,tsx}`],
    ignores: [`${SRC}/api/**`, '**/__tests__/**'],
    rules: {
      'no-restricted-globals': ['error', ...NETWORK],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: NETWORK_MODULES
        }
      ]
    }
  },
  {
    files: [`${SRC}/**/*.tsx`],
    ignores: ['**/__tests__/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/api', '**/api/*'],
              allowTypeImports: true,
              message: 'A view never asks the server; its model does.'
            },
            {
              group: ['@jupyterlab/services', 'tus-js-client'],
              allowTypeImports: true,
              message: 'A view never asks the server; its model does.'
            }
          ]
        }
      ]
    }
  },
  {
    files: [`${SRC}/sections/*/model.ts`],
    rules: {
      'no-restricted-globals': ['error', ...NETWORK, ...DOM],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          // A rule set twice for a file is the last one only: hence the first list again.
          paths: [
            ...NETWORK_MODULES,
            ...['react', 'react-dom', '@lumino/widgets'].map(name => ({
              name,
              allowTypeImports: true,
              message: 'A model has no view of its own.'
            }))
          ]
        }
      ]
    }
  },
  {
    files: [
      '*.{js,mjs,cjs}',
      'labextension/{jest,scripts}/**',
      'ui-tests/**/*.{js,mjs}',
      'tests/uploads/clients/**'
    ],
    languageOptions: { globals: { ...globals.node, ...globals.browser } }
  },
  prettier,
  { rules: { curly: ['error', 'all'] } }
]);
