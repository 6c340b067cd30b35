// How much each parameter matters for the objective, as the server's forest says; always with n and R². Computes nothing.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask } from "../api/client";
import { shortNames } from "../state/columns";
import { labelOf, type Objective } from "../state/compare";
import { useView } from "../state/view";
import styles from "./Compare.module.css";

export function Importance({ objective }: { objective: Objective | null }) {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const name = objective ? labelOf(objective) : "";
  const { data, error, isLoading } = useQuery({
    queryKey: ["get_importance", name, q, prefix],
    queryFn: ({ signal }) => ask({ type: "get_importance", objective: name, q, prefix }, signal),
    enabled: name !== "",
    placeholderData: keepPreviousData,
  });
  const short = shortNames(data?.params.map((param) => param.name) ?? []);
  const most = Math.max(1e-12, ...(data?.params.map((param) => param.importance) ?? []));
  return (
    <section aria-label={`Importance for ${name}`} className={styles.importance}>
      <div className={styles.bar}>
        <h2>Importance</h2>
        {data && <span>n = {data.n}</span>}
        {data?.r2 != null && <span>R² {data.r2.toFixed(2)}</span>}
      </div>
      {isLoading && <p className={styles.note}>A forest is being grown on the server …</p>}
      {error && <p role="alert">{error.message}</p>}
      {data?.reason && (
        <p className={styles.note}>
          {data.n < 20 && !/not enough runs/.test(data.reason) ? `not enough runs: ${data.reason}` : data.reason}
        </p>
      )}
      <div className={styles.ranks} role="group" aria-label="Parameters by importance" tabIndex={0}>
        <table aria-label="Importance" className={styles.table}>
          <thead>
            <tr>
              <th scope="col">parameter</th>
              <th scope="col">importance</th>
              <th scope="col">corr.</th>
            </tr>
          </thead>
          <tbody>
            {data?.params.map((param) => (
              <tr key={param.name}>
                <th scope="row" title={param.name}>
                  {short.get(param.name)}
                </th>
                <td>
                  <span className={styles.meter} title={`± ${param.std.toFixed(3)}`}>
                    <i style={{ width: `${(100 * Math.max(0, param.importance)) / most}%` }} />
                  </span>
                  {param.importance.toFixed(3)}
                </td>
                <td>{param.correlation === null ? "–" : signed(param.correlation)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2).replace(/^0/, "")}`;
