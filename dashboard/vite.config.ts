// How the dashboard is built and tested. Knows no server: for development, `--port` of a running one goes into ML_LOGGER_DEV.
import { defineConfig } from "vitest/config";

/** What the first view needs: one chunk, because small ones compress badly. */
const FIRST = new RegExp(
  [
    "src/(api|ui)/(?!Dialog)",
    "src/state/(?!bulk|compare|links|logs)", // these belong to views that come later
    String.raw`src/charts/(CardMenu|ChartCard|ChartGrid|SectionHead|Tooltip|charts\.module|described|drawn|feeds?|frames|layers|palette|plot|points|scene|studio|ticks|tip|track|use(?!Canvas)\w+)\.`,
    String.raw`src/views/(ChartsView|Divider|Failure|Footer|GroupLine|press|RunLine|RunPane|RunTable|SearchBar|Shell|StatusMark|TableHeader|Tabs|Toolbar|TopBar|keys|use(?!Axes)\w+)\.`,
    String.raw`src/math/(columns|describe|labels|panels|range|search|sections|tail)\.`,
    "node_modules/(react|react-dom|scheduler|@tanstack|zustand|uplot)/",
  ].join("|"),
);

export default defineConfig({
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // a strict content security policy: nothing inline
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      // its list of all compressors starts WebAssembly, which the content security policy forbids; what is used of it does not
      treeshake: { moduleSideEffects: [{ test: /hyparquet-compressors/, sideEffects: false }] },
      output: {
        codeSplitting: {
          groups: [{ name: "page", test: FIRST }],
        },
      },
      onLog(level, log, handler) {
        // "use client" says nothing to a page without a server side; how long plugins took depends on the machine
        if (log.code !== "MODULE_LEVEL_DIRECTIVE" && log.code !== "PLUGIN_TIMINGS") handler(level, log);
      },
    },
  },
  experimental: {
    // The page names its assets absolutely (the server puts its root path before them); assets name each other relatively.
    renderBuiltUrl: (filename, { hostType }) => (hostType === "html" ? `/${filename}` : { relative: true }),
  },
  assetsInclude: ["**/*.bin"], // golden files, for tests
  server: { fs: { allow: [".."] }, proxy: { "/v1": { target: "http://127.0.0.1:8081", changeOrigin: true } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
