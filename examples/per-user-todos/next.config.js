import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  // This directory is the whole application, whatever lies around it.
  turbopack: { root: dirname(fileURLToPath(import.meta.url)) },
};
