/* slots_many.h - slots whose task is many, for slots.c alone */
#ifndef FUT_SLOTS_MANY_H
#define FUT_SLOTS_MANY_H

#include "slots.h"

/* Each assumes what those of slots.h do. */

/* Fill in what a slot that is being handed out needs for so many things; 0: the
   task is not many. */
void fut_slots_share(fut_slots *slots, unsigned slot, unsigned things);

/* As fut_slots_collect(). */
void fut_slots_collect_many(fut_slots *slots, unsigned slot);

/* As fut_slots_abandon(): what has ended counts, and what was begun has failed
   or was cancelled, but not what nobody has begun. */
void fut_slots_salvage_many(fut_slots *slots, unsigned slot, fut_err why,
                            const char *message);

#endif
