/** Who owns the selected place: the chain from the top down, in the default coverage first. */

import type { Area, Building, ChainLink, Owner, Position } from "../api/types";
import { boundsOf } from "../map/bounds";
import { fit } from "../map/camera";
import { coordinates, count, distance, named, words } from "../i18n";
import { ask, located } from "../state/answer";
import { levelInView } from "../state/city";
import { level, selection } from "../state/screen";
import { service } from "../state/client";
import { Icon } from "../ui/icons";
import { Notice, Section, Waiting } from "../ui/controls";
import type { Refused } from "../api/client";

export function Place({ at }: { at: Position }) {
  const w = words.value;
  const answer = located.value;
  const value = answer.is === "here" ? answer.value : answer.is === "loading" ? answer.before : null;
  const [first, ...others] = value?.owners ?? [];
  return (
    <Section title={w.owner}>
      <div class={answer.is === "loading" ? "answer answer-old" : "answer"} aria-busy={answer.is === "loading"} aria-live="polite">
        {answer.is === "refused" && <Failed why={answer.why} at={at} />}
        {answer.is === "loading" && !value && <Waiting label={w.loading} lines={4} />}
        {first && <OwnerOf owner={first} />}
        {value?.building && <BuildingAt building={value.building} />}
        {others.length > 0 && (
          <details class="others">
            <summary>{w.otherCoverages}</summary>
            {others.map((owner) => (
              <div key={owner.coverage} class="other">
                <h3>{named(w.coverageNames, owner.coverage)}</h3>
                <OwnerOf owner={owner} />
              </div>
            ))}
          </details>
        )}
      </div>
    </Section>
  );
}

export function Failed({ why, at }: { why: Refused; at: Position }) {
  const w = words.value;
  return (
    <Notice
      isProblem
      title={w.failedTitle}
      text={why.status === 0 ? w.unreachable : w.refused(String(why.status), why.message)}
      action={{ text: w.retry, run: () => ask(at) }}
    />
  );
}

function OwnerOf({ owner }: { owner: Owner }) {
  const w = words.value;
  if (owner.code === null) {
    return (
      <div class="outside">
        <strong>{w.outside}</strong>
        {owner.nearest && <p>{w.outsideNearest(owner.nearest.name, distance(owner.nearest.distance_m))}</p>}
      </div>
    );
  }
  const others = owner.touching?.filter((code) => code !== owner.code) ?? [];
  return (
    <>
      <ol class="chain">
        {owner.chain?.map((link) => (
          <Link key={link.code} link={link} isOwner={link.code === owner.code} />
        ))}
      </ol>
      <p class="border-note">
        {owner.on_border ? w.onBorder : owner.border_distance_m !== undefined && w.borderDistance(distance(owner.border_distance_m))}
        {others.length > 0 && <span> · {w.touching(others.join(", "))}</span>}
      </p>
    </>
  );
}

function Link({ link, isOwner }: { link: ChainLink; isOwner: boolean }) {
  const w = words.value;
  const isShown = (level.value ?? levelInView.value) === link.level;
  return (
    <li class={isOwner ? "link link-owner" : "link"}>
      <button type="button" class="link-button" aria-current={isShown ? "true" : undefined} title={w.zoomTo(link.name)} onClick={() => void show(link)}>
        <span class="link-level">{named(w.levelNames, link.level)}</span>
        <span class="link-name">{link.name}</span>
        <span class="link-code">{link.code}</span>
      </button>
    </li>
  );
}

/** Brings an area into view, with its level in front. */
async function show(link: ChainLink): Promise<void> {
  level.value = link.level;
  const area: Area | null = await service.area(link.code).catch(() => null);
  if (area) fit(boundsOf(area.geometry));
}

function BuildingAt({ building }: { building: Building }) {
  const w = words.value;
  const facts = [
    building.address,
    building.households !== undefined && w.households(count(building.households)),
    building.residents !== undefined && w.residents(count(building.residents)),
  ].filter(Boolean);
  return (
    <dl class="building">
      <dt>{w.building}</dt>
      <dd>
        {building.name ?? building.id}
        {facts.length > 0 && <small>{facts.join(" · ")}</small>}
      </dd>
    </dl>
  );
}

/** The place itself, with the way to be rid of it. */
export function PlaceHead({ at }: { at: Position }) {
  const w = words.value;
  const answer = located.value;
  // The point that the service used, once it is known.
  const point = answer.is === "here" ? answer.value.point : at;
  return (
    <div class="place-head">
      <span class="place-point">{coordinates(point)}</span>
      <button type="button" class="icon-button" aria-label={w.close} title={w.close} onClick={() => (selection.value = null)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
