/** Who is near the selected place, nearest first. */

import type { Position, Worker } from "../api/types";
import { age, count, distance, named, words } from "../i18n";
import { workers } from "../state/answer";
import { Notice, Section, Waiting } from "../ui/controls";
import { Failed } from "./Place";

export function Nearest({ at }: { at: Position }) {
  const w = words.value;
  const answer = workers.value;
  const list = answer.is === "here" ? answer.value : answer.is === "loading" ? answer.before : null;
  return (
    <Section title={w.nearest}>
      <div class={answer.is === "loading" ? "answer answer-old" : "answer"} aria-busy={answer.is === "loading"}>
        {answer.is === "refused" && <Failed why={answer.why} at={at} />}
        {answer.is === "loading" && !list && <Waiting label={w.loading} lines={3} />}
        {list?.length === 0 && <Notice title={w.noWorkers} text={w.noWorkersHint} />}
        {list && list.length > 0 && (
          <ol class="workers">
            {list.map((worker) => (
              <Row key={worker.id} worker={worker} />
            ))}
          </ol>
        )}
      </div>
    </Section>
  );
}

function Row({ worker }: { worker: Worker }) {
  const w = words.value;
  const facts = [
    worker.role && named(w.roleNames, worker.role),
    typeof worker.age_s === "number" && age(worker.age_s),
    worker.load > 0 && w.load(count(worker.load)),
  ].filter(Boolean);
  return (
    <li class="worker">
      <span class="worker-name">{worker.name || worker.id}</span>
      <span class="worker-distance">{distance(worker.distance_m)}</span>
      <small class="worker-facts">{facts.join(" · ")}</small>
      <span class="worker-grid">{worker.grid}</span>
    </li>
  );
}
