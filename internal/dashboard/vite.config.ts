import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // so that it also works under a path of somebody's reverse proxy
  build: { outDir: '../../dist/dashboard', emptyOutDir: true, target: 'es2023', modulePreload: { polyfill: false } },
});
