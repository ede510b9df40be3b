/* Of a program that has no bar: there is nothing to wipe away. */
#include "apps/common/bar.h"

void app_bar_wipe(void)
{
}
