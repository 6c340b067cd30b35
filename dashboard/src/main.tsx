// Where the page starts: theme, address, session, stream, then the shell. Knows no view.
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queries";
import { openSession, watchForCode } from "./api/session";
import { startAddress } from "./state/history";
import { startSearch } from "./state/search";
import { startTheme } from "./state/theme";
import { underTest } from "./state/underTest";
import "./ui/tokens.css";
import { Shell } from "./views/Shell";

startTheme();
await openSession();
watchForCode();
await startAddress();
startSearch();
if (underTest) window.mlLogger = { charts: Object.create(null) };

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Shell />
    </QueryClientProvider>
  </StrictMode>,
);
