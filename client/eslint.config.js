import js from '@eslint/js';
import globals from 'globals';

const NETWORK = ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Image'];

export default [
  {ignores: ['dist/']},
  js.configs.recommended,
  {
    languageOptions: {ecmaVersion: 2022, sourceType: 'module', globals: globals.node},
    rules: {
      complexity: ['error', 8],
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 40],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'prefer-template': 'error',
      'no-restricted-syntax': [
        'error',
        {selector: 'ExportDefaultDeclaration', message: 'Export by name.'},
        {selector: 'MemberExpression[property.name=/^(inner|outer)HTML$/]', message: 'Use textContent.'},
      ],
    },
  },
  {
    files: ['src/**', 'demo/**', 'replay/**', 'account/**', 'api/**'],
    languageOptions: {globals: globals.browser},
    rules: {
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        ...NETWORK.map((name) => ({name, message: 'Only transport.js talks to the network.'})),
      ],
    },
  },
  {
    files: [
      'src/transport.js',
      'src/reader.js',
      'src/tracker/outbox.js',
      'src/modules/replay/upload.js',
      'src/modules/parts/sending.js',
      'replay/page.js',
      'api/docs.js',
      'account/form.js',
    ],
    rules: {'no-restricted-globals': 'off'},
  },
  {files: ['test/**'], rules: {'max-lines-per-function': 'off'}},
  {files: ['*.config.js'], rules: {'no-restricted-syntax': 'off'}},
];
