// The folders below the root as a nested list; each is asked for when it is unfolded. Knows directories, not runs.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listFiles } from "../api/queries";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import styles from "./RunTable.module.css";
import { PrefixLink } from "./TopBar";

export default function FolderList() {
  return (
    <nav aria-label="Folders" className={styles.folders}>
      <Level path="" />
    </nav>
  );
}

function Level({ path }: { path: string }) {
  const { data } = useQuery(listFiles(path));
  const folders = data?.entries.filter((entry) => entry.is_dir && !entry.run) ?? [];
  if (data && folders.length === 0) return null;
  return (
    <ul>
      {folders.map((folder) => (
        <Folder key={folder.path} path={folder.path} name={folder.name} />
      ))}
    </ul>
  );
}

function Folder({ path, name }: { path: string; name: string }) {
  const prefix = useView((view) => view.prefix);
  const [open, setOpen] = useState(prefix === path || prefix.startsWith(`${path}/`));
  return (
    <li>
      <div>
        <button
          type="button"
          className={controls.plain}
          aria-expanded={open}
          aria-label={`Unfold ${name}`}
          onClick={() => setOpen(!open)}
        >
          <Icon name="chevron" size={11} />
        </button>
        <PrefixLink prefix={path} current={prefix === path}>
          {name}
        </PrefixLink>
      </div>
      {open && <Level path={path} />}
    </li>
  );
}
