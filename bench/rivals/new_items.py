"""The protocol for items that are new: a tenth of the items is held out altogether, and asked for in the last
fifth of each user's events, by what else he had before.

  python: hold_out(events) -> Split
"""
import dataclasses
import random

SHARE = 0.1         # of the items are held out
LAST_PART = 0.2     # of each user's events is asked about
MOST_NEW = 4_000    # questions
MOST_KNOWN = 3_000
LEFT_OUT = 2        # of each user's events are not learned; the last of them is asked, as in leave-last-two-out


@dataclasses.dataclass
class Question:
    history: list   # events
    target: str
    had: frozenset  # new items that the user had before: they are no answers


@dataclasses.dataclass
class Split:
    new_items: list      # ids
    events: list         # of the other items
    new_questions: list  # whose target is new
    known_questions: list


def hold_out(events, seed):
    chooser = random.Random(seed)
    items = sorted({event.item for event in events})
    new = set(chooser.sample(items, int(SHARE * len(items))))
    by_user = {}
    for event in events:
        by_user.setdefault(event.user, []).append(event)
    kept, new_questions, known_questions = [], [], []
    for history in by_user.values():
        history.sort(key=lambda event: event.time)  # stable
        known = [event for event in history if event.item not in new]
        kept += known
        if len(known) > LEFT_OUT:
            known_questions.append(Question(known[:-1], known[-1].item, frozenset()))
        before, had = [], []
        for place, event in enumerate(history):
            if event.item not in new:
                before.append(event)
                continue
            if place >= int(len(history) * (1 - LAST_PART)) and before:
                new_questions.append(Question(list(before), event.item, frozenset(had) - {event.item}))
            had.append(event.item)

    def some(questions, most):
        return questions if len(questions) <= most else chooser.sample(questions, most)

    return Split(sorted(new), kept, some(new_questions, MOST_NEW), some(known_questions, MOST_KNOWN))
