// The run that an address names is put in sight when the page opens, wherever in the table it stands. Knows no element.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { locateRun } from "../api/queries";
import { useFirstPage, useSearchNow } from "./runs";
import { moveCursor, useTable } from "./table";
import { useView } from "./view";

/** Put the cursor on the run that the address opens or pins, once; `count` rows are in the table. A grouped table stays as it is. */
export function useArrival(count: number): void {
  const [run] = useState(() => {
    const { drawer, pinned, tableGroups } = useView.getState();
    return tableGroups.length ? null : (drawer ?? pinned);
  });
  const [arrived, setArrived] = useState(run === null);
  const { data: page, isPlaceholderData } = useFirstPage();
  const near = !arrived && page && !isPlaceholderData ? page.rows.findIndex((row) => row.key === run) : -1;
  const ask = !arrived && page !== undefined && near < 0;
  const { data: far } = useQuery({ ...locateRun(useSearchNow(), run ?? "", page?.total ?? 0), enabled: ask });
  const at = near < 0 ? far : near;
  useEffect(() => {
    // Not found: a server that is still reading may find it later, so another count of matches asks again.
    if (arrived || at === undefined || at === null || at >= count) return;
    setArrived(true);
    if (useTable.getState().cursor < 0) moveCursor(at, run);
  }, [arrived, at, count, run]);
}
