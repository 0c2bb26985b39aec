import js from '@eslint/js';
import globals from 'globals';

/** Says that a name is used where only JSX names it, which this version of ESLint does not see by itself. */
const usedInJsx = {
  create: (context) => ({
    JSXOpeningElement: ({name}) => {
      const first = name.type === 'JSXMemberExpression' ? name.object : name;
      context.sourceCode.markVariableAsUsed(first.name, first);
    },
  }),
};

const NETWORK = ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Image'];

export default [
  {ignores: ['dist/', 'dist.*/']},
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
  {
    files: ['dashboard/**/*.js', 'dashboard/**/*.jsx'],
    plugins: {own: {rules: {'used-in-jsx': usedInJsx}}},
    languageOptions: {
      ecmaVersion: 2024,
      parserOptions: {ecmaFeatures: {jsx: true}},
      globals: globals.browser,
    },
    rules: {
      complexity: ['error', 14],
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', 90],
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        ...NETWORK.map((name) => ({name, message: 'Only app/api.js talks to the network.'})),
      ],
      'own/used-in-jsx': 'error',
    },
  },
  {files: ['dashboard/app/api.js', 'dashboard/views/live/stream.js'], rules: {'no-restricted-globals': 'off'}},
  {files: ['test/**'], rules: {'max-lines-per-function': 'off'}},
  {files: ['*.config.js'], rules: {'no-restricted-syntax': 'off'}},
];
